import { main } from "./lib/cli/main.ts";
import { runProcess } from "./lib/cli/process.ts";

if (import.meta.main) await runProcess((io) => main(Deno.args, io));
