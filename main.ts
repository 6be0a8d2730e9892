import { main } from "./lib/cli/main.ts";
import { createProcessIo } from "./lib/cli/process_io.ts";

if (import.meta.main) Deno.exit(await main(Deno.args, createProcessIo()));
