/** Where a raw zone or a table lies: a folder of local files, or a prefix of a bucket. */
export type Location =
  | { readonly kind: 'local'; readonly path: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** Decoded, without a slash at either end; '' for the whole bucket. */
      readonly prefix: string;
    };

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Whether this text names a place in an object store, well written or not. */
export const isS3 = (text: string): boolean => /^s3:\/\//i.test(text);

/** Whether it begins as a URL does, of whatever kind. */
export const isUrl = (text: string): boolean => SCHEME.test(text);

/** Why `text`, which is {@link isS3}, cannot be used, or null. */
export function s3Fault(text: string): string | null {
  if (!text.startsWith('s3://')) return 's3:// is written in lower case';
  const [bucket = '', ...segments] = s3Path(text).split('/');
  if (bucket.includes('@')) return 'credentials do not stand in a path: they come from the environment';
  if (!BUCKET.test(bucket)) return 'the bucket is named by 3 to 63 lower-case letters, digits, dots and dashes';
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return 'empty, "." and ".." segments lead nowhere in an object store';
  }
  if (/\p{Cc}/u.test(text)) return 'it holds a control character';
  return null;
}

/** The one form of an `s3://` location: no slash at the end. The prefix is taken as it is written, not decoded. */
export const normalS3 = (text: string): string => `s3://${s3Path(text)}`;

/** Text that is no sound `s3://bucket/prefix` is a local path. */
export function parseLocation(text: string): Location {
  if (!isS3(text) || s3Fault(text) !== null) return { kind: 'local', path: text };
  const [bucket = '', ...segments] = s3Path(text).split('/');
  return { kind: 's3', bucket, prefix: segments.join('/') };
}

/** `key` (relative, decoded) below a location. */
export function under(location: string, key: string): string {
  if (key === '') return location;
  return location.endsWith('/') ? `${location}${key}` : `${location}/${key}`;
}

const s3Path = (text: string): string => text.replace(/^s3:\/\//i, '').replace(/\/+$/, '');
