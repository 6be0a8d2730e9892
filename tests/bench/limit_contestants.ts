import { fileURLToPath } from "node:url";
import type { Contestant, Course } from "./contestant.ts";

const script = fileURLToPath(new URL("peers/limit.ts", import.meta.url));

/** The least that the work can cost on Deno: with a signature, as SQS wants one, and without. */
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
