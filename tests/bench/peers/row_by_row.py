"""The exercise's program: receives ten messages, then for each of them checks whether its row exists,
inserts it, commits, and deletes the message."""

import hashlib
import json
import os
from datetime import datetime, timezone

import boto3
import psycopg2

COLUMNS = "user_id, device_type, masked_ip, masked_device_id, locale, app_version, create_date"


def mask(value):
    return hashlib.sha256(value.encode("utf-8")).hexdigest()


def app_version(text):
    major, minor, patch = ([int(part) for part in text.split(".")] + [0, 0])[:3]
    return major * 1_000_000 + minor * 1_000 + patch


def to_row(message):
    event = json.loads(message["Body"])
    sent = int(message["Attributes"]["SentTimestamp"]) / 1000
    return (
        event["user_id"],
        event["device_type"],
        mask(event["ip"]),
        mask(event["device_id"]),
        event["locale"],
        app_version(event["app_version"]),
        datetime.fromtimestamp(sent, timezone.utc).date(),
    )


def store(connection, row):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM user_logins WHERE user_id = %s AND masked_device_id = %s"
            " AND create_date = %s",
            (row[0], row[3], row[6]),
        )
        if cursor.fetchone() is None:
            cursor.execute(
                f"INSERT INTO user_logins ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s)", row
            )
    connection.commit()


def main():
    queue = os.environ["QUEUE_URL"]
    sqs = boto3.client("sqs", endpoint_url=os.environ["ENDPOINT_URL"])
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    while True:
        answer = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=20,
            AttributeNames=["SentTimestamp"],
        )
        for message in answer.get("Messages", []):
            store(connection, to_row(message))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    main()
