import { fileURLToPath } from "node:url";

/** A queue to create and fill. */
export interface FillRequest {
  readonly name: string;
  readonly count: number;
  readonly tag: string;
  readonly repeats: number;
}

/** The progress of a contestant, as the emulator sees it. Times are in milliseconds since 1970. */
export interface QueueState {
  /** Every message was sent, received and deleted. */
  readonly empty: boolean;
  /** Calls by action since the queue was filled. */
  readonly calls: Readonly<Record<string, number>>;
  readonly firstReceiveAt?: number | undefined;
  readonly lastDeleteAt?: number | undefined;
  /** Deletes so far, where a batch counts as ten. It shows progress and is not a figure. */
  readonly deleted: number;
}

/** A queue that one contestant drains. */
export interface HostedQueue {
  readonly url: string;
  state(): Promise<QueueState>;
  remove(): Promise<void>;
}

/** The emulator in a process of its own. Disposing of it closes it. */
export interface QueueHost extends AsyncDisposable {
  /** The value for `AWS_ENDPOINT_URL_SQS`. */
  readonly endpoint: string;
  /** The same queues for clients of the older protocol, forms and XML. */
  readonly queryEndpoint: string;
  /** Creates a queue with messages in it, and resets the counters of calls. */
  fill(request: FillRequest): Promise<HostedQueue>;
}

/** Starts the emulator. It always ends with this process. */
export async function startQueueHost(): Promise<QueueHost> {
  const script = fileURLToPath(new URL("queue_host_process.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", script],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  child.unref();
  const { endpoint, queryEndpoint, control } = await readAddresses(child);
  const ask = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(
      control + path,
      body === undefined ? {} : { method: "POST", body: JSON.stringify(body) },
    );
    if (!response.ok) {
      throw new Error(`Queue process, ${path}: expected status 200, got ${response.status}`);
    }
    return await response.json() as T;
  };
  return {
    endpoint,
    queryEndpoint,
    async fill(request) {
      const { url } = await ask<{ url: string }>("/fill", request);
      const query = `url=${encodeURIComponent(url)}&count=${request.count}`;
      return {
        url,
        state: () => ask<QueueState>(`/state?${query}`),
        remove: async () => void await ask(`/remove?${query}`),
      };
    },
    async [Symbol.asyncDispose]() {
      child.ref();
      await child.stdin.close();
      await child.status;
    },
  };
}

async function readAddresses(
  child: Deno.ChildProcess,
): Promise<{ endpoint: string; queryEndpoint: string; control: string }> {
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) return JSON.parse(text);
  }
  throw new Error("The queue process ended before it printed its addresses");
}
