/** How long Postgres may take to start. An estimate, not measured: a hundred times the usual half second. */
const startMilliseconds = 60_000;

/** A running `postgres` that accepts connections. */
export interface PostgresProcess {
  readonly pid: number;
  /** Whether it has ended, for any reason. */
  readonly ended: boolean;
  /** Waits until it has ended and its log is read to the end. */
  end(): Promise<void>;
}

/**
 * Starts `postgres` and waits until it logs that it accepts connections.
 *
 * @throws {Error} it ended before that, or took too long; with the last lines of its log
 */
export async function startProcess(command: Deno.Command): Promise<PostgresProcess> {
  const child = command.spawn();
  const ready = Promise.withResolvers<boolean>();
  let log = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      log = (log + text).slice(-4000);
      if (log.includes("ready to accept connections")) ready.resolve(true);
    }
  })();
  let ended = false;
  const end = Promise.all([child.status, reading]).then(() => {
    ended = true;
    ready.resolve(false);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), startMilliseconds);
  try {
    if (!await ready.promise) throw new Error(`Postgres did not start; its log ends:\n${log}`);
  } finally {
    clearTimeout(timer);
  }
  // A test run ends when its tests do, whether or not the server still runs.
  child.unref();
  return {
    pid: child.pid,
    get ended() {
      return ended;
    },
    async end() {
      child.ref();
      await end;
    },
  };
}
