/** The room that talks to Temporal from outside workflows: its binaries, the embedded server, connections, health. */
export { resolveTool, ToolNotFound } from './binaries';
export type { ResolvedTool, ResolveOptions, ToolSource } from './binaries';
export { TOOLS } from './tools';
export type { ToolName } from './tools';
export { startDevServer, DevServerFailed } from './dev-server';
export type { DevServer, DevServerOptions } from './dev-server';
export { connect, loadConnectionSettings, nativeConnect, TemporalUnreachable, DEFAULT_ADDRESS } from './connection';
export type { ConnectionSettings, NativeTemporal, TemporalClient } from './connection';
export { checkHealth, startHealthServer } from './health';
export type { HealthServer, HealthStatus } from './health';
