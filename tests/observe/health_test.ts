import { deepStrictEqual, strictEqual, throws } from "node:assert";
import { serveHealth, type WorkerStatus } from "../../lib/observe/health.ts";

const shown: WorkerStatus = {
  counters: () => ({ received: 3, committed: 2 }),
  isStoreUp: () => true,
};

/** Sends a request to a new server, which is closed in any case. */
async function ask(path: string, init: RequestInit = {}, what = shown): Promise<Response> {
  const server = serveHealth({ hostname: "127.0.0.1", port: 0 }, what);
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    // Read completely before the server is closed.
    const body = response.body === null ? null : await response.arrayBuffer();
    return new Response(body?.byteLength ? body : null, response);
  } finally {
    await server.close();
  }
}

Deno.test("serveHealth() answers /healthz with 200 while the store is up", async () => {
  const response = await ask("/healthz");
  strictEqual(response.status, 200);
  strictEqual(response.headers.get("content-type"), "application/json");
  deepStrictEqual(await response.json(), { status: "ok", store: "up" });
});

Deno.test("serveHealth() answers /healthz with 200 when the store is unavailable", async () => {
  const response = await ask("/healthz", {}, { ...shown, isStoreUp: () => false });
  strictEqual(response.status, 200);
  deepStrictEqual(await response.json(), { status: "ok", store: "unavailable" });
});

Deno.test("serveHealth() answers /healthz when the URL has a query", async () => {
  strictEqual((await ask("/healthz?probe=1")).status, 200);
});

Deno.test("serveHealth() answers /books with the current counters", async () => {
  let received = 3;
  const books = () => ({ received: received++ });
  const response = await ask("/books", {}, { ...shown, counters: books });
  strictEqual(response.status, 200);
  deepStrictEqual(await response.json(), { received: 3 });
  strictEqual(received, 4);
});

Deno.test("serveHealth() answers HEAD without a body", async () => {
  const response = await ask("/healthz", { method: "HEAD" });
  strictEqual(response.status, 200);
  strictEqual(await response.text(), "");
});

for (const path of ["/", "/health", "/healthz/", "/books/1", "//healthz", "/%2e%2e/healthzz"]) {
  Deno.test(`serveHealth() answers 404 when the path is ${path}`, async () => {
    const response = await ask(path);
    strictEqual(response.status, 404);
    strictEqual(await response.text(), "Not found. Available paths: /healthz, /books\n");
  });
}

for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
  Deno.test(`serveHealth() answers 405 when the method is ${method}`, async () => {
    strictEqual((await ask("/books", { method })).status, 405);
  });
}

Deno.test("serveHealth() answers 500 without a reason when the counters throw", async () => {
  const books = () => {
    throw new RangeError("zq7");
  };
  const response = await ask("/books", {}, { ...shown, counters: books });
  strictEqual(response.status, 500);
  strictEqual(await response.text(), "");
});

Deno.test("serveHealth() listens on a port that the system selects when the port is 0", async () => {
  const server = serveHealth({ hostname: "127.0.0.1", port: 0 }, shown);
  strictEqual(server.port > 0, true);
  await server.close();
});

Deno.test("serveHealth() frees its port when it is closed", async () => {
  const server = serveHealth({ hostname: "127.0.0.1", port: 0 }, shown);
  const { port } = server;
  await server.close();
  await serveHealth({ hostname: "127.0.0.1", port }, shown).close();
});

Deno.test("serveHealth() throws when the address is in use", async () => {
  const first = serveHealth({ hostname: "127.0.0.1", port: 0 }, shown);
  try {
    throws(() => serveHealth({ hostname: "127.0.0.1", port: first.port }, shown), {
      name: "OperationError",
      message: `HTTP_ADDRESS: cannot listen on 127.0.0.1:${first.port}. Set a free address of ` +
        "this machine, or off",
    });
  } finally {
    await first.close();
  }
});

Deno.test("serveHealth() throws when the address is another machine's", () => {
  // TEST-NET-1 of RFC 5737 is never assigned.
  throws(() => serveHealth({ hostname: "192.0.2.1", port: 0 }, shown), {
    name: "OperationError",
    message: /^HTTP_ADDRESS: cannot listen on 192\.0\.2\.1:0/,
  });
});

Deno.test("serveHealth() closes when a client never finishes the body of its request", async () => {
  const server = serveHealth({ hostname: "127.0.0.1", port: 0 }, shown);
  {
    using client = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const request = "GET /healthz HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf";
    await client.write(new TextEncoder().encode(request));
    // It is being answered.
    await client.read(new Uint8Array(1));
    await server.close();
  }
});
