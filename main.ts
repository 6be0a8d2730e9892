import { main } from "./lib/cli/main.ts";
import { processIo } from "./lib/cli/process_io.ts";

if (import.meta.main) Deno.exit(await main(Deno.args, processIo()));
