import { type AddressInfo, createServer } from 'node:net';

/** Binds a loopback port for a moment (0: any) and gives its number. Rejects with EADDRINUSE or EACCES when it cannot be had. */
export function probePort(port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const taken = (server.address() as AddressInfo).port;
      server.close(() => resolve(taken));
    });
  });
}
