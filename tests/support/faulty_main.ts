/**
 * The real program with a fault in the background: an error that nothing waits for, like one in a callback of a
 * library. MASKLINE_TEST_FAULT says which kind.
 *
 * @module
 */
import { main } from "../../lib/cli/main.ts";
import { runProcess } from "../../lib/cli/process.ts";

/** As in V8's own messages, a value is in the text. */
const error = () => new RangeError("Invalid value: zq-canary 192.0.2.77");

const faults: Record<string, () => void> = {
  rejection: () => void Promise.reject(error()),
  exception: () => {
    throw error();
  },
  text: () => void Promise.reject("zq-canary 192.0.2.77"),
};

const fault = faults[Deno.env.get("MASKLINE_TEST_FAULT") ?? ""];
// On a signal of the test, when messages are in flight.
if (fault) Deno.addSignalListener("SIGUSR2", () => setTimeout(fault, 0));

await runProcess((io) => main(Deno.args, io));
