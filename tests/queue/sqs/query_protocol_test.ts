import { deepStrictEqual, strictEqual } from "node:assert";
import { openSqs } from "../../../lib/queue/sqs/open_sqs.ts";

Deno.test("openSqs() sends requests in the older format when the protocol is query", async () => {
  const forms: URLSearchParams[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const form = new URLSearchParams(await request.text());
      forms.push(form);
      if (form.get("Action") === "ReceiveMessage") {
        return new Response(
          `<ReceiveMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">
          <ReceiveMessageResult/>
          <ResponseMetadata><RequestId>2</RequestId></ResponseMetadata>
        </ReceiveMessageResponse>`,
          { headers: { "content-type": "text/xml" } },
        );
      }
      return new Response(
        `<GetQueueAttributesResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">
        <GetQueueAttributesResult>
          <Attribute><Name>VisibilityTimeout</Name><Value>45</Value></Attribute>
        </GetQueueAttributesResult>
        <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
      </GetQueueAttributesResponse>`,
        { headers: { "content-type": "text/xml" } },
      );
    },
  );
  const url = new URL(`http://127.0.0.1:${server.addr.port}/000000000000/login-queue`);
  Deno.env.set("AWS_ACCESS_KEY_ID", "test");
  Deno.env.set("AWS_SECRET_ACCESS_KEY", "test");
  const { queue } = await openSqs({ url, maxCalls: 1, protocol: "query" });
  const { signal } = new AbortController();
  deepStrictEqual(await queue.receive({ waitSeconds: 0, signal }), []);
  queue.close();
  strictEqual(queue.leaseSeconds, 45);
  deepStrictEqual(forms.map((form) => [form.get("Action"), form.get("Version")]), [
    ["GetQueueAttributes", "2012-11-05"],
    ["ReceiveMessage", "2012-11-05"],
  ]);
});
