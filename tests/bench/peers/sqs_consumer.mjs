// The peer on Node: sqs-consumer as its documentation shows it, with pg. Ten consumers, a batch handler,
// one INSERT per batch. The library deletes the messages that the handler returns, as a batch.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import process from "node:process";

// The packages are installed outside of the repository.
const require = createRequire(process.env.PACKAGES);
const { SQSClient } = require("@aws-sdk/client-sqs");
const { Consumer } = require("sqs-consumer");
const pg = require("pg");

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const sqs = new SQSClient({ endpoint: process.env.AWS_ENDPOINT_URL_SQS });

const sha256 = (value) => createHash("sha256").update(value).digest("hex");

function appVersion(text) {
  const [major = 0, minor = 0, patch = 0] = text.split(".").map(Number);
  return major * 1_000_000 + minor * 1_000 + patch;
}

function toRow(message) {
  const event = JSON.parse(message.Body);
  return [
    event.user_id,
    event.device_type,
    sha256(event.ip),
    sha256(event.device_id),
    event.locale,
    appVersion(event.app_version),
    new Date(Number(message.Attributes.SentTimestamp)).toISOString().slice(0, 10),
  ];
}

async function handleMessageBatch(messages) {
  const rows = messages.map(toRow);
  const places = rows.map((row, index) =>
    `(${row.map((_, column) => `$${index * row.length + column + 1}`).join(", ")})`
  );
  await pool.query(
    `INSERT INTO user_logins (user_id, device_type, masked_ip, masked_device_id, locale,
      app_version, create_date) VALUES ${places.join(", ")}`,
    rows.flat(),
  );
  return messages;
}

for (let count = 0; count < 10; count++) {
  const consumer = Consumer.create({
    queueUrl: process.env.QUEUE_URL,
    sqs,
    batchSize: 10,
    messageSystemAttributeNames: ["SentTimestamp"],
    handleMessageBatch,
  });
  consumer.on("error", (error) => process.stderr.write(`${error.message}\n`));
  consumer.on("processing_error", (error) => process.stderr.write(`${error.message}\n`));
  consumer.start();
}
