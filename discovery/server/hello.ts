import { randomUUID } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { Networks, plainAddress } from "../../base/address.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { type Log, Repeats } from "../../base/log.ts";
import { type Millis, SECOND } from "../../base/units.ts";
import {
  type DeviceEntry,
  DISCOVERY_PORT,
  type DiscoveryBody,
  GROUP_V4,
  parseMessage,
  printMessage,
  type TypeName,
} from "../message.ts";
import { AnswerBudget } from "./budget.ts";
import { matches } from "./match.ts";

/** APP_MAX_DELAY of WS-Discovery 2.4: what goes to many waits for a random time, so that a thousand devices do not speak at once. */
const APP_MAX_DELAY_MS: Millis = 500;

/** Answers wait less than they may: there are clients (libonvif) that listen for half a second and no longer. */
const ANSWER_DELAY_MS: Millis = 100;

const LIMITS = {
  /** Questions are not looked at while so many answers wait to be sent. */
  waiting: 50,
  /** Devices that are told of. */
  devices: 300,
  /** A repeated question (datagrams are sent twice and more, WS-Discovery 2.4) is answered once within this time. */
  repeatMs: 10 * SECOND,
} as const;

export interface DiscoveryServerOptions {
  /** Our IPv4 addresses on the client side. Nothing is sent from, and nothing answered through, any other. */
  readonly addresses: readonly string[];
  /** 3702 if absent; 0 lets the system choose (tests). */
  readonly port?: number;
  /** What clients on the network of `localAddress` are told of; one device, or several that are all here. */
  devices(localAddress: string): readonly DiscoveredDevice[];
  readonly clock: Clock;
  readonly log: Log;
}

/** One device as it is told of. */
export interface DiscoveredDevice {
  /** `urn:uuid:…`, the same for ever and on all interfaces. */
  readonly endpoint: string;
  readonly types: readonly TypeName[];
  readonly scopes: readonly string[];
  /** The addresses of the device service. */
  readonly xaddrs: readonly string[];
}

interface Interface {
  readonly address: string;
  readonly network: Networks;
  readonly socket: Socket;
}

/**
 * Makes the bridge known on the client side (WS-Discovery 2005/04, ONVIF Core 7.3): Hello at start, Bye at close, answers to
 * Probe and Resolve. Only senders on the very network of one of `addresses` are answered, at a bounded rate, and what is
 * not understood is dropped without a word: the server is of no use for flooding others.
 */
export class DiscoveryServer {
  readonly #options: DiscoveryServerOptions;
  readonly #instanceId: number;
  readonly #budget: AnswerBudget;
  readonly #seen: Repeats;
  readonly #interfaces: Interface[] = [];
  readonly #waiting = new Set<Timer>();
  #group: Socket | undefined;
  #port: number;
  #messageNumber = 0;
  /** Of the devices that were changed since the start. */
  readonly #versions = new Map<string, number>();
  readonly #changed = new Set<string>();
  #greeted = false;

  constructor(options: DiscoveryServerOptions) {
    this.#options = options;
    this.#port = options.port ?? DISCOVERY_PORT;
    this.#instanceId = Math.floor(options.clock.now() / 1000);
    this.#budget = new AnswerBudget(options.clock);
    this.#seen = new Repeats(options.clock, LIMITS.repeatMs);
  }

  /** The port in use, once started. */
  get port(): number {
    return this.#port;
  }

  /** Listens, and says Hello within half a second. Fault `unavailable` when no address can be used. */
  async start(): Promise<void> {
    try {
      // Bound to the group's address, it hears no unicast; which interface a datagram came by is told by its sender alone,
      // for the system hands every group member what arrives at any interface.
      const group = await this.#bind(GROUP_V4, this.#port, true);
      this.#group = group;
      this.#port = group.address().port;
      for (const address of this.#options.addresses) await this.#open(address, group);
    } catch (error) {
      await this.close();
      throw error;
    }
    if (this.#interfaces.length === 0) {
      await this.close();
      throw new Fault("unavailable", `discovery: none of ${this.#options.addresses.join(", ")} can be used`);
    }
    this.#later(APP_MAX_DELAY_MS, () => {
      this.#greeted = true;
      for (const one of this.#interfaces)
        for (const device of this.#entries(one)) void this.#multicast(one, { kind: "Hello", device });
    });
  }

  /** What is told of a device is another thing than before: says Hello once more, within half a second, with a version that has grown. */
  changed(endpoint: string): void {
    // Seconds, as after a restart, and never the same twice.
    const seconds = Math.floor(this.#options.clock.now() / 1000);
    this.#versions.set(endpoint, Math.max(seconds, (this.#versions.get(endpoint) ?? this.#instanceId) + 1));
    if (!this.#greeted || this.#changed.has(endpoint)) return;
    this.#changed.add(endpoint);
    this.#later(APP_MAX_DELAY_MS, () => {
      this.#changed.delete(endpoint);
      for (const one of this.#interfaces)
        for (const device of this.#entries(one))
          if (device.endpoint === endpoint) void this.#multicast(one, { kind: "Hello", device });
    });
  }

  /** Says Bye where Hello was said, and stops listening. */
  async close(): Promise<void> {
    for (const timer of this.#waiting) timer.cancel();
    this.#waiting.clear();
    if (this.#greeted)
      await Promise.all(
        this.#interfaces.flatMap((one) =>
          this.#entries(one).map(({ endpoint }) => this.#multicast(one, { kind: "Bye", endpoint })),
        ),
      );
    this.#greeted = false;
    for (const { socket } of this.#interfaces.splice(0)) socket.close();
    this.#group?.close();
    this.#group = undefined;
  }

  async #open(address: string, group: Socket): Promise<void> {
    const { log } = this.#options;
    const network = networkOf(address);
    if (network === undefined || isIP(address) !== 4) {
      log.warn({ address }, "discovery by clients does not work here: not an IPv4 address of this machine");
      return;
    }
    const socket = await this.#bind(address, this.#port, false);
    try {
      group.addMembership(GROUP_V4, address);
      socket.setMulticastInterface(address);
      socket.setMulticastTTL(1);
    } catch (err) {
      socket.close();
      log.warn({ err, address }, "discovery by clients does not work here: no multicast");
      return;
    }
    this.#interfaces.push({ address, network, socket });
  }

  #bind(address: string, port: number, multicast: boolean): Promise<Socket> {
    return new Promise((resolve, reject) => {
      // Other programs on this machine may listen for discovery too.
      const socket = createSocket({ type: "udp4", reuseAddr: true });
      const failed = (cause: Error): void => {
        socket.close();
        reject(new Fault("unavailable", `cannot listen on ${address}:${port} for discovery`, { cause }));
      };
      socket.once("error", failed);
      socket.bind({ address, port }, () => {
        socket.off("error", failed);
        socket.on("error", (err) => this.#options.log.debug({ err, address }, "discovery socket"));
        socket.on("message", (datagram, sender) => this.#receive(datagram, sender, multicast));
        resolve(socket);
      });
    });
  }

  #receive(datagram: Buffer, sender: RemoteInfo, multicast: boolean): void {
    const from = plainAddress(sender.address);
    const one = from === undefined ? undefined : this.#interfaces.find(({ network }) => network.has(from));
    if (from === undefined || one === undefined || sender.port === 0) return;
    if (this.#waiting.size >= LIMITS.waiting) return;
    // Before anything is parsed: garbage costs its sender as much as a question.
    if (!this.#budget.admit(from)) return;
    try {
      const { messageId, body } = parseMessage(datagram);
      const answers = this.#answers(one, body);
      // By port too: two scans of one client (libonvif makes identifiers out of the second) are two questions.
      if (answers.length === 0 || this.#seen.admit(`${from} ${sender.port} ${messageId}`) === undefined) return;
      // A datagram for each device, as devices would: there are clients that read the first match of an answer alone.
      for (const answer of answers) {
        if (!this.#budget.spend()) return;
        const send = (): Promise<void> =>
          this.#send(one, answer, { port: sender.port, address: from, relatesTo: messageId });
        if (multicast) this.#later(ANSWER_DELAY_MS, send);
        else void send();
      }
    } catch {
      // WS-Discovery and Core 7.3.5: faults of multicast messages are dropped in silence.
    }
  }

  #answers(one: Interface, body: DiscoveryBody): readonly DiscoveryBody[] {
    if (body.kind === "Probe")
      return this.#entries(one)
        .filter(({ types, scopes }) => matches(body, types, scopes))
        .map((entry) => ({ kind: "ProbeMatches", matches: [entry] }));
    if (body.kind !== "Resolve") return [];
    const asked = body.endpoint.toLowerCase();
    return this.#entries(one)
      .filter(({ endpoint }) => endpoint.toLowerCase() === asked)
      .map((match) => ({ kind: "ResolveMatches", match }));
  }

  #entries({ address }: Interface): readonly DeviceEntry[] {
    // The version grows when scopes or addresses may have changed, which is at a restart, and when we are told.
    return this.#options
      .devices(address)
      .slice(0, LIMITS.devices)
      .map((device) => ({ ...device, metadataVersion: this.#versions.get(device.endpoint) ?? this.#instanceId }));
  }

  #later(mostMs: Millis, run: () => unknown): void {
    const timer = this.#options.clock.after(Math.random() * mostMs, () => {
      this.#waiting.delete(timer);
      try {
        run();
      } catch (err) {
        this.#options.log.error({ err }, "discovery message could not be made");
      }
    });
    this.#waiting.add(timer);
  }

  #multicast(one: Interface, body: DiscoveryBody): Promise<void> {
    return this.#send(one, body, { port: this.#port, address: GROUP_V4 });
  }

  /** Resolves when it is sent, or could not be; never rejects. */
  #send(
    { socket, address }: Interface,
    body: DiscoveryBody,
    to: { readonly port: number; readonly address: string; readonly relatesTo?: string },
  ): Promise<void> {
    this.#messageNumber += 1;
    const datagram = printMessage({
      messageId: `urn:uuid:${randomUUID()}`,
      ...(to.relatesTo === undefined ? {} : { relatesTo: to.relatesTo }),
      sequence: { instanceId: this.#instanceId, messageNumber: this.#messageNumber },
      body,
    });
    return new Promise((resolve) => {
      socket.send(datagram, to.port, to.address, (err) => {
        if (err !== null) this.#options.log.debug({ err, address, to: to.address }, "discovery message was not sent");
        resolve();
      });
    });
  }
}

/** The network that one of our own addresses is on. */
function networkOf(address: string): Networks | undefined {
  for (const local of Object.values(networkInterfaces()).flat())
    if (local?.cidr != null && plainAddress(local.address) === address) return new Networks([local.cidr]);
  return undefined;
}
