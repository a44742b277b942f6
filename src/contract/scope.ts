/** The scopes of key resolution, widest first. */
export const SCOPES = ['table', 'window', 'partition'] as const;

/** What a contract means that says nothing: the one that is right for any data whose key names a record. */
export const DEFAULT_SCOPE = 'table';
