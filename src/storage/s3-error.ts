import { TerminalError, type TerminalErrorType, codeOf, messageOf } from '../errors';
import { redact } from './redact';
import { StorageError } from './storage-error';

const CREDENTIALS =
  'Tidegate takes credentials from where the AWS SDK does: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, ' +
  'or the role of the machine';

/** What stays so until someone acts, by the store's code. */
const LASTING: Readonly<Record<string, string>> = {
  AccessDenied:
    'access denied. Let the credentials of the worker list the bucket, and get, put and delete objects below this location',
  AllAccessDisabled: 'access to this bucket is disabled. Enable it, or choose another bucket',
  AccountProblem: "the store reports a problem with the account. Look at the provider's console",
  InvalidAccessKeyId: `the store does not know the access key. ${CREDENTIALS}`,
  SignatureDoesNotMatch: `the store does not accept the secret key. ${CREDENTIALS}`,
  InvalidToken: `the store does not accept the session token. ${CREDENTIALS}`,
  ExpiredToken: `the session token has expired. Renew it. ${CREDENTIALS}`,
  NoSuchBucket: 'there is no such bucket. Create it, or correct the location in the contract',
  InvalidBucketName: 'this is no name of a bucket. Correct the location in the contract',
  PermanentRedirect: 'the bucket lies in another region. Set AWS_REGION to it',
  AuthorizationHeaderMalformed: 'the bucket lies in another region. Set AWS_REGION to it',
  KeyTooLongError: 'the name is longer than the store allows. Shorten it, or the location in the contract',
  NotImplemented: 'the store does not support this operation. Choose one that supports conditional writes',
  InvalidObjectState: 'the object is archived. Restore it, or take it out of the raw zone',
  MethodNotAllowed: 'the store does not allow this operation here. Look at the policies of the bucket',
};

/** By status, where a reply has no body to tell more (HEAD). */
const BY_STATUS: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  403: 'AccessDenied',
  405: 'MethodNotAllowed',
  501: 'NotImplemented',
};

/** The status of the store's reply, or undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const { $metadata: metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return metadata?.httpStatusCode;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'Unknown');

/**
 * What to throw for an error of the SDK, as `storageError` does for the file system: terminal where it
 * stays so until someone acts. The SDK's error is no `cause`: it holds requests and their headers.
 */
export function s3Error(error: unknown, action: string, url: string, type: TerminalErrorType): Error {
  if (error instanceof TerminalError || error instanceof StorageError) return error;
  const status = statusOf(error);
  const named = nameOf(error);
  const code = LASTING[named] === undefined ? (BY_STATUS[status ?? 0] ?? named) : named;
  const lasting = LASTING[code];
  const said = status === undefined ? code : `${code}, status ${status}`;
  if (lasting !== undefined) return new TerminalError(type, `cannot ${action} ${url}: ${lasting} (${said}).`);
  if (named === 'CredentialsProviderError') {
    return new TerminalError(type, `cannot ${action} ${url}: no credentials were found. ${CREDENTIALS}.`);
  }
  const message = redact(messageOf(error)).split('\n')[0] ?? '';
  if (/region is missing/i.test(message)) {
    return new TerminalError(type, `cannot ${action} ${url}: no region is known. Set AWS_REGION.`);
  }
  if (isMissing(error)) return new StorageError('ENOENT', url, `cannot ${action} ${url}: it is not there (${said}).`);
  // Of what never reached the store, the system's code says more than the name.
  const system = status === undefined ? codeOf(error) : undefined;
  return new StorageError(system ?? code, url, `cannot ${action} ${url}: ${message} (${system ?? said}).`);
}

export function isMissing(error: unknown): boolean {
  return nameOf(error) !== 'NoSuchBucket' && statusOf(error) === 404;
}
