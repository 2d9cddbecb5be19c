import { randomUUID } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { plainAddress } from "../../base/address.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { type Log, Repeats } from "../../base/log.ts";
import { type Millis, SECOND } from "../../base/units.ts";
import type { CameraSide } from "../../net/sides.ts";
import {
  DEVICE,
  DISCOVERY_PORT,
  GROUP_V4,
  GROUP_V6,
  NETWORK_VIDEO_TRANSMITTER,
  parseMessage,
  printMessage,
  type TypeName,
} from "../message.ts";
import { FindList } from "./find-list.ts";
import { type Found, foundOf } from "./found.ts";
import { addressesOf } from "./targets.ts";

export type { Found } from "./found.ts";

const LIMITS = {
  /** Answers that are parsed in one scan, at 0.1 ms each: a flood ends there. */
  answers: 20_000,
  /** Own addresses that a scan uses. */
  sockets: 32,
} as const;

/** UDP may lose any of them, and cameras that are busy answer late. */
const ROUNDS_MS: readonly Millis[] = [0, 300, 1000, 2000];
const JITTER_MS: Millis = 100;

/** How long a scan listens for answers to multicast unless the caller says otherwise. */
const DURATION_MS: Millis = 5 * SECOND;
/** How long answers to the last unicast probe are waited for. */
const LINGER_MS: Millis = 2 * SECOND;
/** What is waited for answers is waited in so many parts. */
const PARTS = 20;

/** Single addresses are asked in bursts, 200 a second in all: neither switches nor the neighbor table mind. */
const BURST = { addresses: 10, everyMs: 50 } as const;

/** Cameras beyond one router, where the site forwards multicast. */
const MULTICAST_TTL = 4;

/** Some cameras answer to one of these alone, some to the last, which asks for anything. */
const SHAPES: readonly (readonly TypeName[])[] = [[NETWORK_VIDEO_TRANSMITTER], [DEVICE], []];

export interface ProbeProgress {
  /** Single addresses asked so far. */
  readonly probed: number;
  readonly total: number;
}

export interface ProbeOptions {
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly log: Log;
  /** Where cameras listen; 3702 unless a test says otherwise. */
  readonly port?: number;
  /** Addresses and CIDR ranges (together at most 4096 addresses) that are asked one by one, besides the multicast. */
  readonly targets?: readonly string[];
  /** How long answers to multicast are taken; 5 s if absent. Scans of many addresses take longer. */
  readonly durationMs?: Millis;
  /** A camera was found, or more became known of it (same id). */
  readonly onFound: (found: Found) => void;
  readonly onProgress?: (progress: ProbeProgress) => void;
  /** Ends the scan early; what was found until then is the result. */
  readonly signal?: AbortSignal;
}

/**
 * Asks for cameras (WS-Discovery 2005/04, ONVIF Core 7.3): by multicast from each of our addresses on camera networks, and
 * each of `targets` by itself. Sends nothing anywhere else, and no credentials. Answers that belong to no question of ours
 * are dropped, as is everything that does not parse.
 *
 * Faults: `invalid` (targets), `denied` (a target that the camera side forbids), `unavailable` (no address to send from).
 */
export async function probe(options: ProbeOptions): Promise<readonly Found[]> {
  const { side, clock, log, onProgress, signal } = options;
  const targets = addressesOf(options.targets ?? [], side);
  const scan = new Scan(options);
  const progress = (probed: number): void => onProgress?.({ probed, total: targets.length });
  try {
    await scan.open(targets);
    progress(0);
    await Promise.all([
      scan.askEverybody(),
      scan.askEach(targets, progress),
      scan.multicasts ? listen(clock, options.durationMs ?? DURATION_MS, signal) : undefined,
    ]);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    log.debug("scan called off");
  } finally {
    scan.close();
  }
  return scan.finds;
}

class Scan {
  readonly #options: ProbeOptions;
  readonly #port: number;
  /** By the local address that they are bound to. */
  readonly #sockets = new Map<string, Socket>();
  /** Without an address of its own, for targets on networks that we are not on; by family. */
  readonly #unbound = new Map<number, Socket>();
  /** Identifiers of our questions, in the form of {@link plainId}. */
  readonly #asked = new Set<string>();
  readonly #list = new FindList();
  readonly #repeats: Repeats;
  /** Single addresses that have not answered. When none is left, there is nothing to wait for. */
  readonly #silent = new Set<string>();
  readonly #allAnswered = new AbortController();
  #answers = 0;
  #closed = false;

  constructor(options: ProbeOptions) {
    this.#options = options;
    this.#port = options.port ?? DISCOVERY_PORT;
    this.#repeats = new Repeats(options.clock);
  }

  get finds(): readonly Found[] {
    return this.#list.all;
  }

  /** Whether there is an address to send multicast from. */
  get multicasts(): boolean {
    return this.#sockets.size > 0;
  }

  async open(targets: readonly string[]): Promise<void> {
    const { side, log } = this.#options;
    for (const address of side.localAddresses.slice(0, LIMITS.sockets)) {
      try {
        const socket = await this.#bind(address);
        const family = isIP(address);
        socket.setMulticastTTL(MULTICAST_TTL);
        socket.setMulticastInterface(family === 6 ? `::%${zoneOf(address)}` : address);
        this.#sockets.set(address, socket);
      } catch (err) {
        // An interface that went away, or one without multicast, must not keep the others from being asked.
        log.warn({ err, address }, "cannot ask for cameras from this address");
      }
    }
    for (const family of new Set(targets.filter((ip) => this.#bound(ip) === undefined).map(isIP)))
      this.#unbound.set(family, await this.#bind(family === 6 ? "::" : "0.0.0.0"));
    if (this.#sockets.size === 0 && this.#unbound.size === 0)
      throw new Fault("unavailable", "no local address on a camera network", {
        tell: "this machine has no address on a camera network: check the setting for the camera side",
      });
  }

  close(): void {
    this.#closed = true;
    for (const socket of [...this.#sockets.values(), ...this.#unbound.values()]) socket.close();
  }

  async askEverybody(): Promise<void> {
    const { clock, signal } = this.#options;
    let waited = 0;
    for (const at of ROUNDS_MS) {
      const until = at + Math.random() * JITTER_MS;
      if (at > 0) await clock.sleep(until - waited, signal);
      if (at > 0) waited = until;
      for (const datagram of this.#questions())
        for (const [address, socket] of this.#sockets)
          this.#send(socket, datagram, isIP(address) === 6 ? `${GROUP_V6}%${zoneOf(address)}` : GROUP_V4);
    }
  }

  async askEach(targets: readonly string[], progress: (probed: number) => void): Promise<void> {
    if (targets.length === 0) return;
    const { clock, signal } = this.#options;
    const datagrams = this.#questions();
    for (const ip of targets) this.#silent.add(ip);
    for (let from = 0; from < targets.length; from += BURST.addresses) {
      const burst = targets.slice(from, from + BURST.addresses);
      for (const ip of burst) {
        const socket = this.#bound(ip) ?? this.#unbound.get(isIP(ip));
        if (socket !== undefined) for (const datagram of datagrams) this.#send(socket, datagram, ip);
      }
      progress(from + burst.length);
      await clock.sleep(BURST.everyMs, signal);
    }
    const enough = this.#allAnswered.signal;
    const signals = signal === undefined ? enough : AbortSignal.any([signal, enough]);
    await listen(clock, LINGER_MS, signals).catch(() => signal?.throwIfAborted());
  }

  #bound(ip: string): Socket | undefined {
    const local = this.#options.side.localAddressFor(ip);
    return local === undefined ? undefined : this.#sockets.get(local);
  }

  #bind(address: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({ type: isIP(address) === 6 ? "udp6" : "udp4" });
      const failed = (cause: Error): void => {
        socket.close();
        reject(new Fault("unavailable", `cannot send from ${address}: ${cause.message}`, { cause }));
      };
      socket.once("error", failed);
      socket.bind({ address, port: 0 }, () => {
        socket.off("error", failed);
        socket.on("error", (err) => this.#options.log.debug({ err, address }, "discovery socket"));
        socket.on("message", (datagram, sender) => this.#receive(datagram, sender));
        resolve(socket);
      });
    });
  }

  /** New identifiers each time: a device that has answered one keeps quiet when it hears the same again. */
  #questions(): readonly Buffer[] {
    return SHAPES.map((types) => {
      const messageId = `urn:uuid:${randomUUID()}`;
      this.#asked.add(plainId(messageId));
      return printMessage({ messageId, body: { kind: "Probe", types, scopes: [] } });
    });
  }

  #send(socket: Socket, datagram: Buffer, to: string): void {
    if (this.#closed) return;
    // Nobody at that address, no route, a full neighbor table: the next address or the next round matters more.
    socket.send(datagram, this.#port, to, (err) => {
      if (err !== null && this.#repeats.admit(to) !== undefined)
        this.#options.log.debug({ err, to }, "probe was not sent");
    });
  }

  #receive(datagram: Buffer, { address }: RemoteInfo): void {
    if (this.#closed || this.#answers >= LIMITS.answers) return;
    this.#answers += 1;
    const { side, log, onFound } = this.#options;
    const sender = plainAddress(address);
    if (sender === undefined) return;
    try {
      const { body, relatesTo } = parseMessage(datagram);
      if (body.kind !== "ProbeMatches" || relatesTo === undefined || !this.#asked.has(plainId(relatesTo))) return;
      for (const entry of body.matches) {
        const found = foundOf(entry, sender, side);
        const news = found && this.#list.add(found);
        if (news !== undefined) onFound(news);
        if (found !== undefined && this.#silent.delete(found.ip) && this.#silent.size === 0) this.#allAnswered.abort();
      }
    } catch (err) {
      if (this.#repeats.admit(sender) !== undefined) log.debug({ err, sender }, "answer to a probe was dropped");
    }
  }
}

/** A machine that stood still meanwhile loses one part of it, and not the answers that wait in its sockets then. */
async function listen(clock: Clock, durationMs: Millis, signal: AbortSignal | undefined): Promise<void> {
  for (let part = 0; part < PARTS; part += 1) await clock.sleep(durationMs / PARTS, signal);
}

/** Cameras echo the identifier of a question with another prefix (`uuid:`, none) or in other letters. */
function plainId(messageId: string): string {
  return messageId
    .trim()
    .toLowerCase()
    .replace(/^(?:urn:)?(?:uuid:)?/, "");
}

/** The interface that has this IPv6 address. */
function zoneOf(address: string): string {
  for (const [name, locals] of Object.entries(networkInterfaces()))
    if (locals?.some((local) => plainAddress(local.address) === address) === true) return name;
  throw new Fault("unavailable", `no interface has ${address}`);
}
