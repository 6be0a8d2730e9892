import { readSettings } from "../config/read_settings.ts";
import { exit, type Io } from "./command.ts";

/** How long a living worker may take to say so, in milliseconds. */
const HEALTH_TIMEOUT_MS = 3_000;

/** Asks the worker that runs on this machine whether it lives. */
export async function askHealth(io: Io): Promise<number> {
  const { HTTP_ADDRESS: address } = readSettings(io.source, []);
  if (address === "off") {
    io.err("HTTP_ADDRESS is off, so there is nobody to ask\n");
    return exit.wrongUsage;
  }
  // A worker that listens everywhere is asked where it surely is.
  const anywhere = address.hostname === "0.0.0.0" || address.hostname === "::";
  const host = anywhere ? "127.0.0.1" : address.hostname;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${address.port}/healthz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    io.out(`${await response.text()}\n`);
    return response.ok ? exit.done : exit.failed;
  } catch (error) {
    io.err(`No worker answers at ${url} (${error instanceof Error ? error.name : "error"})\n`);
    return exit.failed;
  }
}
