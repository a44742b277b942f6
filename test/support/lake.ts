import { type S3Proxy, startS3Proxy } from './s3-proxy';
import { type S3Server, type S3ServerName, s3Environment, startS3Server } from './s3-server';

/** Starts an S3 server with an empty bucket `lake`; the AWS settings of this process are its from now on. */
export async function startLake(name?: S3ServerName): Promise<S3Server> {
  const server = await startS3Server(name);
  await orStop(server, server.createBucket('lake'));
  Object.assign(process.env, server.env);
  return server;
}

/** The same, with a proxy between this process and the server. */
export async function startProxiedLake(): Promise<{ readonly server: S3Server; readonly proxy: S3Proxy }> {
  const server = await startLake();
  const proxy = await orStop(server, startS3Proxy(server.port));
  Object.assign(process.env, s3Environment(proxy.port));
  return { server, proxy };
}

/** A server that no test comes to know of, none can stop. */
async function orStop<T>(server: S3Server, next: Promise<T>): Promise<T> {
  try {
    return await next;
  } catch (error) {
    await server.stop();
    throw error;
  }
}
