import { statfs } from "node:fs/promises";
import { freePort } from "./free_port.ts";
import { holdLifeline, type Lifeline } from "./lifeline.ts";
import { findPostgresBinaries, type PostgresBinaries } from "./postgres_binaries.ts";
import { type PostgresProcess, startProcess } from "./postgres_process.ts";
import { childrenOf } from "./process_tree.ts";
import { createTestDatabase, type TestDatabase } from "./test_database.ts";
import { type ProcessUser, unprivilegedUser } from "./unprivileged_user.ts";

/** A Postgres for tests. Disposing of it closes it. */
export interface PostgresServer extends AsyncDisposable {
  readonly port: number;
  /** The superuser's URL of the database `postgres`. */
  readonly url: string;
  /** The postmaster's process id. `undefined` while it is stopped, or if the server is a shared one. */
  readonly pid: number | undefined;
  /** Name of a migrated database to copy, if the server has one. */
  readonly template?: string | undefined;
  /** Creates an empty database, which is removed with the server. */
  createDatabase(prefix?: string): Promise<TestDatabase>;
  /** Stops it: `fast` closes connections and writes all data, `immediate` is a crash. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** Starts it again, on the same port and data. Does nothing if it runs. */
  start(): Promise<void>;
  /** Freezes it: connections stay open and get no answer, as on a dead network. */
  pause(): Promise<void>;
  /** Ends a pause. Does nothing if there is none. */
  resume(): Promise<void>;
  /** Stops it and removes its data. Safe to call twice. */
  close(): Promise<void>;
}

/** How {@linkcode startPostgres} starts it. */
export interface PostgresOptions {
  /** The programs to start. Default: those that {@linkcode findPostgresBinaries} finds. */
  readonly binaries?: PostgresBinaries;
  /** Parameters of `postgresql.conf`, which override those for tests. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether the data is on a disk, as benchmarks require. Default: in memory, if there is room. */
  readonly onDisk?: boolean;
}

/** The data need not survive a power failure. There are many connections because there are many tests. */
const testSettings = {
  listen_addresses: "127.0.0.1",
  fsync: "off",
  full_page_writes: "off",
  max_connections: "300",
  shared_buffers: "128MB",
  // The data can be in memory.
  max_wal_size: "256MB",
};

/**
 * Starts a Postgres with fresh data on a free loopback port. It ends with `close()`, and always with this
 * process (on Windows, which is untested, only with `close()`).
 *
 * @throws {Error} there are no binaries, or it did not start; with the last lines of its log
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = options.binaries ?? await findPostgresBinaries();
  const user = await unprivilegedUser();
  const folder = options.onDisk ? undefined : await memoryFolder();
  const directory = await Deno.makeTempDir({
    prefix: "maskline-pg-",
    ...(folder && { dir: folder }),
  });
  const { uid = null, gid = null } = user;
  if (uid !== null) await Deno.chown(directory, uid, gid);
  const server = new OwnPostgres(binaries, user, directory, {
    ...testSettings,
    unix_socket_directories: directory,
    ...options.settings,
  });
  try {
    await server.initialize();
    await server.start();
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}

/**
 * Returns a folder in memory for the data, or `undefined` if there is none with room for it.
 *
 * A database is 300 files. ext4 does not reuse an inode within five seconds after its file was removed,
 * and skips all of these for each new file. Creating a database took 20 ms in memory and 150 to 300 ms of
 * system time on ext4 (measured), as soon as tests had removed some.
 */
async function memoryFolder(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  try {
    const { bavail, bsize } = await statfs("/dev/shm");
    // An estimate, not measured: twenty databases at a time, and the log. Containers often have 64 MiB.
    return bavail * bsize > 2 ** 31 ? "/dev/shm" : undefined;
  } catch {
    return undefined;
  }
}

class OwnPostgres implements PostgresServer {
  readonly port = freePort();
  readonly url = `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  readonly #binaries: PostgresBinaries;
  readonly #user: ProcessUser;
  readonly #directory: string;
  readonly #data: string;
  readonly #settings: Readonly<Record<string, string>>;
  #lifeline: Lifeline | undefined;
  #process: PostgresProcess | undefined;
  #paused: number[] = [];

  constructor(
    binaries: PostgresBinaries,
    user: ProcessUser,
    directory: string,
    settings: Readonly<Record<string, string>>,
  ) {
    this.#binaries = binaries;
    this.#user = user;
    this.#directory = directory;
    this.#data = `${directory}/data`;
    this.#settings = settings;
    if (Deno.build.os !== "windows") {
      // A frozen postmaster does not handle the stop signal, so it gets CONT first.
      const script = 'kill -CONT "$(head -n 1 "$2/data/postmaster.pid")"; ' +
        '"$1" stop --mode=immediate --pgdata="$2/data"; rm -rf "$2"';
      this.#lifeline = holdLifeline(script, [binaries.pgCtl, directory], user);
    }
  }

  get pid(): number | undefined {
    return this.#process?.ended ? undefined : this.#process?.pid;
  }

  async initialize(): Promise<void> {
    await this.#run(this.#binaries.initdb, [
      `--pgdata=${this.#data}`,
      "--auth=trust",
      "--username=postgres",
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
    ]);
  }

  createDatabase(prefix?: string): Promise<TestDatabase> {
    return createTestDatabase(this.url, prefix);
  }

  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    const settings = Object.entries(this.#settings).map(([name, value]) => `--${name}=${value}`);
    this.#process = await startProcess(
      this.#command(this.#binaries.postgres, [
        "-D",
        this.#data,
        "-p",
        `${this.port}`,
        ...settings,
      ]),
    );
  }

  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    const process = this.#process;
    if (!process) return;
    await this.resume();
    const stop = ["stop", `--mode=${mode}`, `--pgdata=${this.#data}`];
    if (!process.ended) await this.#run(this.#binaries.pgCtl, stop);
    await process.end();
    this.#process = undefined;
  }

  async pause(): Promise<void> {
    const pid = this.pid;
    if (pid === undefined || this.#paused.length > 0) return;
    // The parent first, so that it starts no further child. It also reaps none, so that no process id is
    // reused.
    Deno.kill(pid, "SIGSTOP");
    this.#paused = [...await childrenOf(pid), pid];
    for (const paused of this.#paused) Deno.kill(paused, "SIGSTOP");
  }

  async resume(): Promise<void> {
    for (const pid of this.#paused.splice(0)) Deno.kill(pid, "SIGCONT");
  }

  async close(): Promise<void> {
    try {
      await this.stop("immediate");
    } finally {
      const held = this.#lifeline;
      this.#lifeline = undefined;
      await held?.release();
      if (Deno.build.os === "windows") await Deno.remove(this.#directory, { recursive: true });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #command(program: string, args: string[]): Deno.Command {
    return new Deno.Command(program, {
      args,
      // The other user may not be allowed to open the current directory.
      cwd: this.#directory,
      // The log is searched for an English sentence.
      env: { LC_ALL: "C" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      ...this.#user,
    });
  }

  async #run(program: string, args: string[]): Promise<void> {
    const { success, stderr } = await this.#command(program, args).output();
    if (success) return;
    const log = new TextDecoder().decode(stderr).slice(-2000);
    throw new Error(`${program} failed; its output ends:\n${log}`);
  }
}
