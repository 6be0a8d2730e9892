import type { Settings } from "../config/read_settings.ts";
import { serveHealth } from "../observe/health.ts";
import { getLogger } from "../observe/log.ts";
import { isBalanced } from "../pipeline/counters.ts";
import { startWorkerLog, workerSettings } from "../worker/settings.ts";
import { openWorker } from "../worker/worker.ts";
import { type Command, exit } from "./command.ts";

const log = getLogger("http");

function formatHost({ HTTP_ADDRESS: address }: Settings): string {
  if (address === "off") return "";
  return address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
}

/** `maskline run` */
export const run: Command = {
  usage: "run",
  help: `
Works until SIGTERM or SIGINT: receives, masks, stores and deletes. Checks the schema and never changes
it. At the first signal it stops receiving, finishes what it holds within STOP_SECONDS and gives the
rest back; a second signal ends it at once. Exits with 0 only if the books balance.

  env $(cat maskline.env) maskline run`,
  async run(io) {
    const settings = workerSettings(io);
    await startWorkerLog(settings, io);
    const worker = await openWorker(settings, { signal: io.signal });
    const { pipeline } = worker;
    const server = settings.HTTP_ADDRESS === "off" ? undefined : serveHealth(
      settings.HTTP_ADDRESS,
      { counters: () => pipeline.counters, isStoreUp: () => pipeline.isStoreUp },
    );
    if (server) {
      log.info("Listening: {url}", { url: `http://${formatHost(settings)}:${server.port}/books` });
    }
    try {
      const books = await pipeline.run(io.signal);
      return isBalanced(books) && books.inFlight === 0 ? exit.done : exit.failed;
    } finally {
      await server?.close();
      await worker.close();
    }
  },
};
