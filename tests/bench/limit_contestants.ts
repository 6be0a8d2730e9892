import { fileURLToPath } from "node:url";
import type { Contestant, Course } from "./contestant.ts";

const script = fileURLToPath(new URL("peers/limit.ts", import.meta.url));

/** Creates the contestants for the lowest cost of the work on Deno, with SQS's signature and without. */
export function limitContestants(messages: number): Contestant[] {
  const limit = (id: string, name: string, signed: boolean): Contestant => ({
    id,
    name,
    messages,
    schema: "exercise",
    program: ({ queueUrl, endpoint, databaseUrl }: Course) => ({
      command: Deno.execPath(),
      args: ["run", "--quiet", "-A", script],
      env: {
        QUEUE_URL: queueUrl,
        ENDPOINT: endpoint,
        DATABASE_URL: databaseUrl,
        ...(signed ? { SIGNED: "1" } : {}),
      },
    }),
  });
  return [
    limit("limit-signed", "The limit, signed", true),
    limit("limit-unsigned", "The limit, unsigned", false),
  ];
}
