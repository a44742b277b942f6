/** The scopes of key resolution, widest first. */
export const SCOPES = ['table', 'window', 'partition'] as const;
