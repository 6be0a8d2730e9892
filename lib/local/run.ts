/**
 * `deno task run`: the worker on the queue and the database of the settings; with neither set, a
 * demonstration that needs nothing. This is the only way to the embedded parts; the binary has none.
 *
 * @module
 */
import { exit } from "../cli/command.ts";
import { explainFailure, main } from "../cli/main.ts";
import { processIo } from "../cli/process_io.ts";
import { demonstrate } from "./demo.ts";

const USAGE = `Usage: deno task run [--stay]

With SQS_QUEUE_URL and DATABASE_URL set: the worker on them (maskline run).
With neither: a demonstration on an embedded queue and Postgres.

  --stay   keep the demonstration up, with traffic, until Ctrl-C
`;

const io = processIo();
const [first, ...rest] = Deno.args;
if (io.source.get("SQS_QUEUE_URL") || io.source.get("DATABASE_URL")) {
  Deno.exit(await main(["run", ...Deno.args], io));
} else if (first === "--help" || first === "-h") {
  io.out(USAGE);
  Deno.exit(exit.done);
} else if ((first !== undefined && first !== "--stay") || rest.length > 0) {
  io.err(USAGE);
  Deno.exit(exit.wrongUsage);
} else {
  const status = demonstrate(io, { stay: first === "--stay" });
  Deno.exit(await status.catch((error) => explainFailure(error, io)));
}
