/** The command lines that are compared. */
import {
  clientTool,
  ensureMysql,
  ensureTool,
  type CommandLine,
  type PrivateServer,
  type Tool,
} from '../sandbox/index.js';
import { PROGRAM } from '../demo/reshelve.js';
import { quoteWord, shellCommand } from './shell.js';

export const SOURCE_DATABASE = 'LibraryDB';
export const TARGET_DATABASE = 'LibraryDB_bench';

export interface Contender {
  readonly name: string;
  /** For bash. Backups write `output`; restores read it and fill TARGET_DATABASE. */
  readonly script: string;
  /** A file or folder below the work directory. */
  readonly output: string;
  /** A peer that fails is left out from then on, with a note. */
  readonly isOurs: boolean;
}

export interface Contenders {
  readonly backups: readonly Contender[];
  readonly restores: readonly Contender[];
  /** Peers that could not be had, with the reason. */
  readonly notes: readonly string[];
}

/** The guide's flags; without the GTID note a dump loads on the server that it came from. */
const DUMP_FLAGS = [
  '--single-transaction',
  '--routines',
  '--triggers',
  '--events',
  '--set-gtid-purged=OFF',
];

export interface ContenderRequest {
  readonly server: PrivateServer;
  /** For `--defaults-file`. */
  readonly optionFile: string;
  readonly peers: boolean;
  readonly cores: number;
  readonly log: (line: string) => void;
}

export async function prepareContenders(request: ContenderRequest): Promise<Contenders> {
  const { server, optionFile } = request;
  const installation = await ensureMysql(request.log);
  // All by the same way: the Unix socket.
  const login = [
    `--defaults-file=${optionFile}`,
    '--protocol=socket',
    `--socket=${server.socketPath}`,
  ];
  const client = (name: 'mysqldump' | 'mysql', args: readonly string[]): string =>
    shellCommand(clientTool(installation, name), [...login, ...args]);
  const dump = client('mysqldump', [...DUMP_FLAGS, SOURCE_DATABASE]);
  const load = client('mysql', [TARGET_DATABASE]);
  const reshelve = `${quoteWord(process.execPath)} ${quoteWord(PROGRAM)}`;
  const backups: Contender[] = [
    {
      name: 'mysqldump | gzip',
      script: `${dump} | gzip >default.sql.gz`,
      output: 'default.sql.gz',
      isOurs: false,
    },
    {
      name: 'mysqldump | gzip -1',
      script: `${dump} | gzip -1 >fast.sql.gz`,
      output: 'fast.sql.gz',
      isOurs: false,
    },
    { name: 'reshelve full', script: `${reshelve} full`, output: 'backups', isOurs: true },
  ];
  const restores: Contender[] = [
    {
      name: 'gunzip | mysql',
      script: `gunzip -c default.sql.gz | ${load}`,
      output: 'default.sql.gz',
      isOurs: false,
    },
    {
      name: 'reshelve restore',
      script: `${reshelve} restore --yes --into ${TARGET_DATABASE}`,
      output: 'backups',
      isOurs: true,
    },
  ];
  const notes = request.peers ? await addPeers(request, dump, backups, restores) : [];
  return { backups, restores, notes };
}

async function addPeers(
  request: ContenderRequest,
  dump: string,
  backups: Contender[],
  restores: Contender[],
): Promise<string[]> {
  const { server, optionFile, cores, log } = request;
  const notes: string[] = [];
  const peer = async (name: Tool, add: (tool: CommandLine) => void): Promise<void> => {
    try {
      add(await ensureTool(name, log));
    } catch (error) {
      notes.push(`without ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const login = [
    `--defaults-file=${optionFile}`,
    `--socket=${server.socketPath}`,
    '--threads',
    String(cores),
  ];
  await peer('pigz', (tool) => {
    const pigz = shellCommand(tool, ['-p', String(cores)]);
    const output = 'pigz.sql.gz';
    backups.push({
      name: `mysqldump | pigz -p${cores}`,
      script: `${dump} | ${pigz} >${output}`,
      output,
      isOurs: false,
    });
  });
  const output = 'mydumper';
  await peer('mydumper', (tool) => {
    // Tables alone: 0.10 writes a routine with an apostrophe in its comment such that it does not load.
    const flags = ['--compress', '--outputdir', output];
    const script = shellCommand(tool, [...login, ...flags, '--database', SOURCE_DATABASE]);
    backups.push({ name: `mydumper -t${cores} -c`, script, output, isOurs: false });
  });
  await peer('myloader', (tool) => {
    // It leaves the binary log out unless told otherwise; the others write it.
    const flags = ['--enable-binlog', '--overwrite-tables', '--directory', output];
    const script = shellCommand(tool, [...login, ...flags, '--database', TARGET_DATABASE]);
    restores.push({ name: `myloader -t${cores}`, script, output, isOurs: false });
  });
  return notes;
}
