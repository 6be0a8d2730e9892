import type { Settings } from "../config/read_settings.ts";
import { serveHealth } from "../observe/health.ts";
import { getLogger } from "../observe/log.ts";
import { isBalanced } from "../pipeline/counters.ts";
import { readWorkerSettings, startWorkerLog } from "../worker/settings.ts";
import { openWorker, StoppedError } from "../worker/worker.ts";
import { type Command, exit } from "./command.ts";

const log = getLogger("http");
const startLog = getLogger("start");

/** `maskline run` */
export const run: Command = {
  usage: "run",
  help: `
Works until SIGTERM, SIGINT or SIGHUP: receives, masks, stores and deletes. It checks the schema and never
changes it. The first signal stops receiving; messages in flight are finished within STOP_SECONDS, and the
others are released. Another signal more than a second later ends the process at once. Exits with 0 only if
the books balance.

  set -a; . ./maskline.env; set +a; maskline run`,
  async run(io) {
    const settings = readWorkerSettings(io.source);
    await startWorkerLog(settings, io.err);
    const worker = await openWorker(settings, { signal: io.signal }).catch((error) => {
      if (error instanceof StoppedError) return null;
      throw error;
    });
    if (!worker) {
      startLog.info("Stopped before the queue and the database answered: nothing was received");
      return exit.done;
    }
    const { pipeline } = worker;
    const server = settings.HTTP_ADDRESS === "off" ? undefined : serveHealth(
      settings.HTTP_ADDRESS,
      { counters: () => pipeline.counters, isStoreUp: () => pipeline.isStoreUp },
    );
    if (server) {
      log.info("Listening: {url}", { url: `http://${formatHost(settings)}:${server.port}/books` });
    }
    try {
      const counters = await pipeline.run(io.signal);
      return isBalanced(counters) && counters.inFlight === 0 ? exit.done : exit.failed;
    } finally {
      await server?.close();
      await worker.close();
    }
  },
};

function formatHost({ HTTP_ADDRESS: address }: Settings): string {
  if (address === "off") return "";
  return address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
}
