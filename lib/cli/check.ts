import { findExposedSecrets } from "../config/check_settings.ts";
import { readSettings, SettingsError } from "../config/read_settings.ts";
import { checkCounters } from "../custody/books.ts";
import { type CheckResult, checkWorker } from "../worker/check.ts";
import { readWorkerSettings, type WorkerSettings } from "../worker/settings.ts";
import { type Command, exit, type Io } from "./command.ts";

/** How long a running worker may take to answer. */
const HEALTH_TIMEOUT_MS = 3_000;

/** `maskline check` */
export const check: Command = {
  usage: "check [--offline | --health | --books]",
  help: `
Checks everything that a worker needs: the settings, then the queue, the database and its privileges. It
receives nothing and writes nothing.

  --offline   check the settings only, without network
  --health    ask the running worker at HTTP_ADDRESS whether it is alive (for a container's health check)
  --books     also check the counters against the database: ledger = rows + removed + rejected (reads
              whole tables)

  maskline check --offline && maskline run`,
  options: {
    offline: { type: "boolean" },
    health: { type: "boolean" },
    books: { type: "boolean" },
  },
  async run(io, { flags }) {
    if (flags["health"]) return await askHealth(io);
    const settings = checkSettings(io);
    if (!settings) return exit.wrongUsage;
    if (flags["offline"]) return exit.done;
    const isFine = await checkWorker(
      settings,
      (databases) => flags["books"] ? [{ name: "books", run: () => checkCounters(databases) }] : [],
      (result) => io.out(formatResult(result)),
    );
    return isFine ? exit.done : exit.failed;
  },
};

function checkSettings(io: Io): WorkerSettings | null {
  try {
    const settings = readWorkerSettings(io.source);
    io.out(formatResult({ name: "settings", warnings: findExposedSecrets(io.source) }));
    return settings;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    for (const problem of error.problems) io.out(`FAIL  ${problem}\n`);
    return null;
  }
}

function formatResult({ name, failure, warnings }: CheckResult): string {
  if (failure !== undefined) return `FAIL  ${name}: ${failure}\n`;
  return `ok    ${name}\n${warnings.map((warning) => `warn  ${warning}\n`).join("")}`;
}

/** Asks the worker on this machine whether it is alive. */
async function askHealth(io: Io): Promise<number> {
  const { HTTP_ADDRESS: address } = readSettings(io.source, []);
  if (address === "off") {
    io.err("HTTP_ADDRESS: is off, so no worker can answer; expected host:port\n");
    return exit.wrongUsage;
  }
  // A worker that listens on all addresses also listens on loopback.
  const isAny = address.hostname === "0.0.0.0" || address.hostname === "::";
  const host = isAny ? "127.0.0.1" : address.hostname;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${address.port}/healthz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    io.out(`${await response.text()}\n`);
    return response.ok ? exit.done : exit.failed;
  } catch {
    io.err(`No worker answers at ${url}: expected \`maskline run\` with the same HTTP_ADDRESS\n`);
    return exit.failed;
  }
}
