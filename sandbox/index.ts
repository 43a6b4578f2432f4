/** The one entry of the sandbox: real servers and tools for the demo, the tests and the bench. */
export { runClient, withOptionFile, type ClientOptions } from './client.js';
export { SandboxError } from './errors.js';
export {
  clientTool,
  ensureMariadb,
  ensureMysql,
  type ClientTool,
  type Flavour,
  type Installation,
  type MariadbInstallation,
  type MysqlInstallation,
} from './installation.js';
export { ensurePm2 } from './pm2.js';
export type { CommandLine, Log, RunResult } from './run.js';
export {
  startServer,
  type PrivateServer,
  type ServerAddress,
  type StartOptions,
} from './server.js';
export { ensureTool, type Tool } from './tools.js';
