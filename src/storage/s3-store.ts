import { randomUUID } from 'node:crypto';
import type { GetObjectCommandOutput, ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import { TerminalError, type TerminalErrorType } from '../errors';
import { assertPlain, isPlain } from './inside';
import type { ObjectInfo, ObjectStore } from './object-store';
import { backoff } from './backoff';
import { type S3Connection, s3Connection } from './s3-connection';
import { isMissing, s3Error, statusOf } from './s3-error';

export interface S3StoreOptions {
  /** Type of the terminal errors: `SourceError` (default) for a raw zone, `TargetError` for a table. */
  readonly errorType?: TerminalErrorType;
}

/** Tries of what the SDK does not try again by itself: a body cut short, a write that met another. */
const TRIES = 6;
/** User metadata that tells who wrote an object: of two writers, the one whose reply was lost must know itself. */
const WRITER = 'tidegate-write';

/** Which stores were seen to honour `If-None-Match`, by client, bucket and prefix; a failed check is made again. */
const checked = new WeakMap<S3Client, Map<string, Promise<void>>>();

/**
 * A prefix of a bucket as an {@link ObjectStore}. `write` and `putIfAbsent` are one PUT each, so readers see all
 * or nothing. Before its first `putIfAbsent`, the store is made to show that it honours `If-None-Match`.
 *
 * The SDK tries again, with backoff and jitter, what failed on the way, was throttled or met a 5xx; denied
 * access and a missing bucket are terminal errors at once.
 */
export function s3Store(bucket: string, prefix: string, options: S3StoreOptions = {}): ObjectStore {
  const errorType = options.errorType ?? 'SourceError';
  const root = prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
  const base = prefix === '' ? '' : `${prefix}/`;
  const urlOf = (key: string): string => {
    assertPlain(root, key, errorType);
    return key === '' ? root : `${root}/${key}`;
  };

  const guarded = async <T>(
    action: string,
    key: string,
    work: (s3: S3Connection, at: { readonly Bucket: string; readonly Key: string }) => Promise<T>,
  ): Promise<T> => {
    const url = urlOf(key);
    try {
      return await work(await s3Connection(), { Bucket: bucket, Key: base + key });
    } catch (error) {
      throw s3Error(error, action, url, errorType);
    }
  };

  const get = (key: string, range?: { readonly start: number; readonly end: number }): Promise<Buffer> =>
    guarded('read', key, async ({ client, sdk }, at) => {
      const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end - 1}`;
      for (let tried = 1; ; tried += 1) {
        const reply = await client.send(new sdk.GetObjectCommand({ ...at, Range }));
        try {
          const body = await bodyOf(reply);
          // A store that knows no ranges sends the whole.
          return range !== undefined && reply.ContentRange === undefined ? body.subarray(range.start, range.end) : body;
        } catch (error) {
          if (tried === TRIES) throw error;
          await backoff(tried);
        }
      }
    });

  return {
    kind: 's3',
    root,
    urlOf,

    scanOptions: () => guarded('open', '', async () => (await s3Connection()).scanOptions(bucket)),

    async *list(key) {
      const Prefix = base + (key === '' ? '' : `${key}/`);
      for (let token: string | undefined; ;) {
        const page: ListObjectsV2CommandOutput = await guarded('list', key, ({ client, sdk }) =>
          client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix, ContinuationToken: token })),
        );
        for (const object of page.Contents ?? []) {
          const info = infoOf(object.Key?.slice(base.length) ?? '', object.Size, object.ETag, object.LastModified);
          if (info !== null) yield info;
        }
        if (page.IsTruncated !== true) return;
        if (page.NextContinuationToken === undefined || page.NextContinuationToken === token) {
          throw new Error(`cannot list ${urlOf(key)}: the store says that there is more and not where`);
        }
        token = page.NextContinuationToken;
      }
    },

    stat: (key) =>
      guarded('look at', key, async (s3, at) => {
        const { client, sdk } = s3;
        if (key === '') return (await isThere(s3)) ? { key, size: 0, special: 'folder' } : null;
        try {
          const { ContentLength, ETag } = await client.send(new sdk.HeadObjectCommand(at));
          return infoOf(key, ContentLength, ETag);
        } catch (error) {
          if (!isMissing(error)) throw error;
          // The reply to a HEAD does not tell a missing object from a missing bucket.
          await assertBucket(s3);
          return null;
        }
      }),

    read: (key) => get(key),

    async readRange(key, start, end) {
      if (end <= start) return Buffer.alloc(0);
      try {
        return await get(key, { start, end });
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'InvalidRange') return Buffer.alloc(0);
        throw error;
      }
    },

    write: (key, data) =>
      guarded('write', key, async ({ client, sdk }, at) => {
        await client.send(new sdk.PutObjectCommand({ ...at, ...bodyFrom(data) }));
      }),

    checkPutIfAbsent,

    putIfAbsent: async (key, data) => {
      urlOf(key);
      await checkPutIfAbsent();
      return guarded('write', key, (s3, { Key }) => putIfAbsent(s3, Key, data));
    },

    delete: (key) =>
      guarded('delete', key, async ({ client, sdk }, at) => {
        try {
          await client.send(new sdk.DeleteObjectCommand(at));
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      }),
  };

  /** Whether anything lies below the root; the root of a bucket is always there. */
  async function isThere({ client, sdk }: S3Connection): Promise<boolean> {
    const { KeyCount, Contents } = await client.send(
      new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: base, MaxKeys: 1 }),
    );
    return base === '' || (KeyCount ?? Contents?.length ?? 0) > 0;
  }

  async function assertBucket({ client, sdk }: S3Connection): Promise<void> {
    try {
      await client.send(new sdk.HeadBucketCommand({ Bucket: bucket }));
    } catch (error) {
      if (!isMissing(error)) throw error;
      throw new TerminalError(
        errorType,
        `cannot open ${root}: there is no such bucket. Create it, or correct the location in the contract (NoSuchBucket).`,
      );
    }
  }

  /**
   * A lost reply makes the SDK try again and meet its own object, and a duplicated request meets its twin; so
   * after any failure the object itself is asked whose it is.
   */
  async function putIfAbsent(s3: S3Connection, key: string, data: string | Uint8Array): Promise<boolean> {
    const { client, sdk } = s3;
    const own = randomUUID();
    const at = { Bucket: bucket, Key: key };
    for (let tried = 1; ; tried += 1) {
      try {
        await client.send(
          new sdk.PutObjectCommand({ ...at, ...bodyFrom(data), IfNoneMatch: '*', Metadata: { [WRITER]: own } }),
        );
        return true;
      } catch (error) {
        if (!mayHaveWritten(error)) throw error;
        const writer = await writerOf(s3, key);
        if (writer === own) return true;
        if (writer !== null) return false;
        // Gone again, or a conflict between two writes that are under way: nobody has it.
        if (tried === TRIES || !isConflict(error)) throw error;
        await backoff(tried);
      }
    }
  }

  /** Who wrote an object: '' for another program, null when it is not there. */
  async function writerOf({ client, sdk }: S3Connection, key: string): Promise<string | null> {
    try {
      const { Metadata } = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }));
      return Metadata?.[WRITER] ?? '';
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  function checkPutIfAbsent(): Promise<void> {
    return guarded('write to', '', conditionalWritesChecked);
  }

  async function conditionalWritesChecked(s3: S3Connection): Promise<void> {
    const known = checked.get(s3.client) ?? new Map<string, Promise<void>>();
    checked.set(s3.client, known);
    let check = known.get(root);
    if (check === undefined) {
      check = checkConditionalWrites(s3);
      known.set(root, check);
      check.catch(() => known.delete(root));
    }
    await check;
  }

  /** @throws TerminalError when the second of two writes under one name is not refused. */
  async function checkConditionalWrites(s3: S3Connection): Promise<void> {
    const { client, sdk } = s3;
    const key = `${base}_tidegate/probe-${randomUUID()}`;
    try {
      if (!(await putIfAbsent(s3, key, 'first')) || (await putIfAbsent(s3, key, 'second'))) {
        throw new TerminalError(
          errorType,
          `the store of ${root} does not honour conditional writes: it accepted a second object under a name that was taken, ` +
            'although told "If-None-Match: *". Two writers could overwrite each other\'s commits there. ' +
            'Use a store that honours the header (AWS S3, MinIO, Ceph, Cloudflare R2, versitygw), or a local path.',
        );
      }
    } finally {
      await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key })).catch(() => {});
    }
  }
}

/** With its length said: the SDK wonders about empty ones. */
function bodyFrom(data: string | Uint8Array): { readonly Body: Uint8Array; readonly ContentLength: number } {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  return { Body: bytes, ContentLength: bytes.length };
}

/** As listed; null for the marks that some programs leave where they would have a folder. */
function infoOf(key: string, size: number | undefined, etag: string | undefined, modified?: Date): ObjectInfo | null {
  const info = {
    key,
    size: size ?? 0,
    ...(etag === undefined ? {} : { etag: etag.replace(/^"(.*)"$/, '$1') }),
    ...(modified === undefined ? {} : { modifiedAt: modified.toISOString() }),
  };
  if (isPlain(key)) return info;
  return key === '' || (key.endsWith('/') && info.size === 0) ? null : { ...info, special: 'unusable name' };
}

async function bodyOf(reply: GetObjectCommandOutput): Promise<Buffer> {
  const bytes = Buffer.from((await reply.Body?.transformToByteArray()) ?? []);
  if (reply.ContentLength !== undefined && bytes.length !== reply.ContentLength) {
    throw new Error(`the reply was cut short: ${bytes.length} bytes of ${reply.ContentLength}`);
  }
  return bytes;
}

const isConflict = (error: unknown): boolean => [404, 409, 412].includes(statusOf(error) ?? 0);

/** Whether a write that failed so may have happened all the same: it was refused as taken, or nobody knows. */
function mayHaveWritten(error: unknown): boolean {
  if (error instanceof Error && (error.name === 'NoSuchBucket' || error.name === 'CredentialsProviderError'))
    return false;
  const status = statusOf(error);
  return status === undefined || status >= 500 || isConflict(error);
}
