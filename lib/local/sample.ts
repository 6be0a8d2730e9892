import { pick, type Random, seededRandom } from "./random.ts";

/** Options of {@linkcode sampleEvents}. */
export interface SampleOptions {
  /** The same seed gives the same events. Default 1. */
  readonly seed?: number;
  /** How many events there are among the messages. */
  readonly count: number;
  /** How many users share the events. Default: two in three events have a user of their own. */
  readonly users?: number;
}

const DEVICE_TYPES = ["android", "iOS"] as const;
const LOCALES = ["RU", "US", "DE", "BR", "IN", "ID", "FR", "PH", "MX", "CN", "GR", "SE"] as const;
const VERSIONS = [
  "2.3.0",
  "2.3.1",
  "0.3.7",
  "0.37",
  "1.2.7",
  "3.0",
  "5",
  "0.1.6",
  "1.16.0",
] as const;

/**
 * Login events that look like real ones and belong to nobody: addresses come from the ranges that are
 * set aside for documents (RFC 5737, RFC 3849). Devices and addresses repeat as they do in life: a
 * family shares a tablet, an office shares an address.
 */
export function sampleEvents(
  { seed = 1, count, users = Math.ceil(count * 2 / 3) }: SampleOptions,
): string[] {
  const random = seededRandom(seed);
  const devices = Array.from(
    { length: Math.max(1, Math.ceil(users * 0.85)) },
    () => deviceId(random),
  );
  const addresses = Array.from(
    { length: Math.max(1, Math.ceil(users * 0.6)) },
    () => ipAddress(random),
  );
  const people = Array.from({ length: users }, (_, index) => ({
    user_id: uuid(random),
    device_type: pick(random, DEVICE_TYPES),
    // Each device has an owner, and the people beyond them share one with somebody.
    device_id: devices[index] ?? pick(random, devices),
    ip: pick(random, addresses),
    locale: random() < 0.3 ? null : pick(random, LOCALES),
  }));
  return Array.from({ length: count }, (_, index) => {
    const person = people[index] ?? pick(random, people);
    return JSON.stringify({ ...person, app_version: pick(random, VERSIONS) });
  });
}

/** {@linkcode sampleEvents} with one message of a wrong type among them: `count` messages in all. */
export function sampleMessages(options: SampleOptions): string[] {
  const events = sampleEvents({ ...options, count: options.count - 1 });
  const wrong = JSON.stringify({ foo: "oops_wrong_msg_type", bar: "123" });
  return events.toSpliced(Math.floor(events.length * 0.6), 0, wrong);
}

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => Math.floor(random() * 10)).join("");
}

function hex(random: Random, count: number): string {
  return Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join("");
}

function deviceId(random: Random): string {
  return `${digits(random, 3)}-${digits(random, 2)}-${digits(random, 4)}`;
}

function uuid(random: Random): string {
  return `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-a${hex(random, 3)}-${
    hex(random, 12)
  }`;
}

function ipAddress(random: Random): string {
  if (random() < 0.15) return `2001:db8:${hex(random, 4)}::${hex(random, 4)}`;
  return `${pick(random, ["192.0.2", "198.51.100", "203.0.113"])}.${
    1 + Math.floor(random() * 254)
  }`;
}
