import { systemClock } from "../base/clock.ts";
import type { LocalQueue } from "./queue.ts";

/** Returns numbers from 0 to 1 that depend on a seed. */
export type Random = () => number;

/** Creates a Mulberry32 generator. Its 32 bits of state suffice for samples, and never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Picks a random item. @throws {RangeError} there is none */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError("Expected at least one item to pick from, got none");
  return item;
}

/** Options of {@linkcode sampleEvents}. */
export interface SampleOptions {
  /** The same seed results in the same events. Default 1. */
  readonly seed?: number;
  /** The number of events. */
  readonly count: number;
  /** The number of users. Default: two thirds of `count`. */
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
 * Generates realistic login events of fictitious users. Addresses come from the ranges that are reserved
 * for documentation (RFC 5737, RFC 3849). Devices and addresses repeat as in production: a family shares a
 * tablet, an office shares an address.
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
    // Each device has an owner. Each further user shares the device of another user.
    device_id: devices[index] ?? pick(random, devices),
    ip: pick(random, addresses),
    locale: random() < 0.3 ? null : pick(random, LOCALES),
  }));
  return Array.from({ length: count }, (_, index) => {
    const person = people[index] ?? pick(random, people);
    return JSON.stringify({ ...person, app_version: pick(random, VERSIONS) });
  });
}

/** Generates `count` messages: the events of {@linkcode sampleEvents} and one message of a wrong type. */
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

/** Sends sample events at an irregular rate until the signal aborts. One in 200 messages is invalid. */
export async function sendTraffic(queue: LocalQueue, signal: AbortSignal): Promise<void> {
  for (let seed = 2; !signal.aborted; seed++) {
    for (const body of sampleEvents({ seed, count: 200, users: 150 })) {
      if (signal.aborted) return;
      await queue.send(body);
      await systemClock.sleep(10 + Math.random() * 40, signal);
    }
    await queue.send("not JSON at all");
  }
}
