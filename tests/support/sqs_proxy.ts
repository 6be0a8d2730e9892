/** One request to SQS, as the proxy sees it. */
export interface SqsRequest {
  /** `ReceiveMessage`, `DeleteMessageBatch`, … */
  readonly action: string;
  readonly body: Record<string, unknown>;
  /** Forwards it and returns the emulator's answer. */
  forward(): Promise<Response>;
}

/** Answers a request instead of the emulator, or forwards it by returning undefined. */
export type Fault = (request: SqsRequest) => Promise<Response | undefined> | Response | undefined;

/** An SQS-protocol proxy in front of an emulator, which counts calls and injects faults. */
export interface SqsProxy extends AsyncDisposable {
  /** The value for `AWS_ENDPOINT_URL_SQS`. */
  readonly endpoint: string;
  /** Calls so far, by action. */
  readonly calls: Map<string, number>;
  /** The most parallel calls of each action. */
  readonly mostAtOnce: Map<string, number>;
  /** How requests are answered from now on. */
  fault: Fault;
}

/** Starts a proxy on a free loopback port. */
export function startSqsProxy(upstream: string): SqsProxy {
  const calls = new Map<string, number>();
  const atOnce = new Map<string, number>();
  const mostAtOnce = new Map<string, number>();
  const count = (map: Map<string, number>, key: string, by: number) => {
    const value = (map.get(key) ?? 0) + by;
    map.set(key, value);
    return value;
  };
  const aborting = new AbortController();
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      onError: () => new Response(null, { status: 502 }),
    },
    async (incoming) => {
      const action = incoming.headers.get("x-amz-target")?.split(".")[1] ?? "unknown";
      const text = await incoming.text();
      const headers = new Headers(incoming.headers);
      headers.delete("host");
      const signal = AbortSignal.any([incoming.signal, aborting.signal]);
      const forward = () => fetch(upstream, { method: "POST", headers, body: text, signal });
      count(calls, action, 1);
      const now = count(atOnce, action, 1);
      mostAtOnce.set(action, Math.max(now, mostAtOnce.get(action) ?? 0));
      try {
        return await proxy.fault({ action, body: JSON.parse(text || "{}"), forward }) ??
          await forward();
      } finally {
        count(atOnce, action, -1);
      }
    },
  );
  const proxy: SqsProxy = {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    calls,
    mostAtOnce,
    fault: () => undefined,
    async [Symbol.asyncDispose]() {
      aborting.abort();
      await server.shutdown();
    },
  };
  return proxy;
}

/** Creates an error answer like SQS's. */
export function sqsError(status: number, code: string): Response {
  return Response.json({ __type: `com.amazonaws.sqs#${code}`, message: code }, {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amzn-query-error": `${code};Sender`,
    },
  });
}

/** Answers a batch call as if every entry had failed, without carrying it out. */
export function failEntries(request: SqsRequest, code = "InternalError"): Response {
  const entries = request.body["Entries"] as { Id: string }[];
  const Failed = entries.map(({ Id }) => ({ Id, Code: code, SenderFault: false }));
  return Response.json({ Successful: [], Failed });
}
