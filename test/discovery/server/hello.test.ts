import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { expect } from "chai";
import { isFault } from "../../../base/fault.ts";
import { silentLog } from "../../../base/log.ts";
import { SECOND } from "../../../base/units.ts";
import {
  DEVICE,
  type DiscoveryMessage,
  GROUP_V4,
  NETWORK_VIDEO_TRANSMITTER,
  parseMessage,
  printMessage,
} from "../../../discovery/message.ts";
import { AnswerBudget } from "../../../discovery/server/budget.ts";
import { DiscoveryServer } from "../../../discovery/server/hello.ts";
import { officialValidator } from "../../support/official-schemas.ts";
import { missing } from "../../support/peer.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const ENDPOINT = "urn:uuid:5f5a69c2-e0ae-504f-829b-00fcee1ab001";
const SCOPES = ["onvif://www.onvif.org/name/Viaduct", "onvif://www.onvif.org/hardware/Viaduct"];
const SOAP = "http://www.w3.org/2003/05/soap-envelope";
const WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const WSD = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
const DN = "http://www.onvif.org/ver10/network/wsdl";
const TDS = "http://www.onvif.org/ver10/device/wsdl";

/** Probes as clients write them. */
const PROBES: Readonly<Record<string, (id: string) => string>> = {
  "by prefixes, with headers that must be understood, for a NetworkVideoTransmitter": (id) =>
    `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="${SOAP}" xmlns:a="${WSA}"><s:Header>` +
    `<a:Action s:mustUnderstand="1">${WSD}/Probe</a:Action><a:MessageID>${id}</a:MessageID>` +
    `<a:ReplyTo><a:Address>${WSA}/role/anonymous</a:Address></a:ReplyTo>` +
    `<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>` +
    `<s:Body><Probe xmlns="${WSD}"><d:Types xmlns:d="${WSD}" xmlns:dp0="${DN}">dp0:NetworkVideoTransmitter</d:Types></Probe></s:Body></s:Envelope>`,
  "by default namespaces, for a Device": (id) =>
    `<Envelope xmlns="${SOAP}"><Header xmlns:wsa="${WSA}"><wsa:MessageID>${id}</wsa:MessageID>` +
    `<wsa:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</wsa:To><wsa:Action>${WSD}/Probe</wsa:Action></Header>` +
    `<Body><Probe xmlns="${WSD}" xmlns:tds="${TDS}"><Types>tds:Device</Types><Scopes/></Probe></Body></Envelope>`,
  "for whatever there is": (id) =>
    `<s:Envelope xmlns:s="${SOAP}" xmlns:a="${WSA}" xmlns:d="${WSD}"><s:Header><a:MessageID>${id}</a:MessageID></s:Header>` +
    "<s:Body><d:Probe/></s:Body></s:Envelope>",
};

const probe = (id: string, scopes: readonly string[] = []): Buffer =>
  printMessage({ messageId: id, body: { kind: "Probe", types: [], scopes } });

/** One end of the conversation, with all that it has heard. */
class Listener {
  readonly socket: Socket;
  readonly heard: { readonly text: string; readonly message: DiscoveryMessage; readonly from: string }[] = [];
  #waiting: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("message", (datagram, { address }) => {
      this.heard.push({ text: datagram.toString(), message: parseMessage(datagram), from: address });
      this.#waiting?.();
    });
  }

  static async open(address: string, port = 0): Promise<Listener> {
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    socket.bind({ address, port });
    await once(socket, "listening");
    return new Listener(socket);
  }

  /** When so many messages have been heard. */
  async hears(count: number): Promise<readonly DiscoveryMessage[]> {
    while (this.heard.length < count)
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    return this.heard.map(({ message }) => message);
  }

  say(datagram: Buffer | string, port: number, address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(datagram, port, address, (error) => (error === null ? resolve() : reject(error)));
    });
  }
}

describe("the bridge in discovery", () => {
  const valid = officialValidator();
  let clock: VirtualClock;
  let server: DiscoveryServer;
  let group: Listener;
  let client: Listener;
  /** Names of further devices. */
  let others: readonly string[];
  let listeners: Listener[];

  async function listen(address: string, port?: number): Promise<Listener> {
    const listener = await Listener.open(address, port);
    listeners.push(listener);
    return listener;
  }

  const make = (addresses: readonly string[]): DiscoveryServer =>
    new DiscoveryServer({
      addresses,
      port: 0,
      devices: (local) => [
        {
          endpoint: ENDPOINT,
          types: [NETWORK_VIDEO_TRANSMITTER, DEVICE],
          scopes: SCOPES,
          xaddrs: [`http://${local}:8080/onvif/device_service`],
        },
        ...others.map((name) => ({
          endpoint: `urn:uuid:${name}`,
          types: [DEVICE],
          scopes: [`onvif://www.onvif.org/name/${name}`],
          xaddrs: [`http://${local}:8080/onvif/camera/${name}/device_service`],
        })),
      ],
      clock,
      log: silentLog(),
    });

  beforeEach(async () => {
    listeners = [];
    others = [];
    clock = new VirtualClock();
    server = make(["127.0.0.1"]);
    await server.start();
    group = await listen(GROUP_V4, server.port);
    group.socket.addMembership(GROUP_V4, "127.0.0.1");
    client = await listen("127.0.0.1");
    client.socket.setMulticastInterface("127.0.0.1");
  });
  afterEach(async () => {
    await server.close();
    for (const { socket } of listeners) socket.close();
  });

  const direct = (datagram: Buffer | string, from = client): Promise<void> =>
    from.say(datagram, server.port, "127.0.0.1");

  /** Until so many timers wait. A datagram that never comes ends it, so that the loop does not outlive its test. */
  async function waiting(count: number): Promise<void> {
    for (let turn = 0; clock.pending < count; turn += 1) {
      if (turn === 1_000_000) throw new Error(`${clock.pending} of ${count} are waiting`);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Sends to everybody, and lets the time pass that an answer may take, once the server has heard it. */
  async function everybody(datagram: Buffer | string): Promise<void> {
    const { pending } = clock;
    await client.say(datagram, server.port, GROUP_V4);
    await waiting(pending + 1);
    await clock.advance(SECOND / 2);
  }

  it("says Hello within half a second, and Bye at the end, to the group", async () => {
    expect(group.heard).to.deep.equal([]);
    await clock.advance(SECOND / 2);
    await group.hears(1);
    await server.close();
    const [hello, bye] = await group.hears(2);
    expect(hello?.body).to.deep.equal({
      kind: "Hello",
      device: {
        endpoint: ENDPOINT,
        types: [NETWORK_VIDEO_TRANSMITTER, DEVICE],
        scopes: SCOPES,
        xaddrs: ["http://127.0.0.1:8080/onvif/device_service"],
        metadataVersion: Math.floor(clock.now() / 1000),
      },
    });
    expect(bye?.body).to.deep.equal({ kind: "Bye", endpoint: ENDPOINT });
    const { instanceId = 0, messageNumber = 0 } = hello?.sequence ?? {};
    expect(bye?.sequence).to.deep.equal({ instanceId, messageNumber: messageNumber + 1 });
    expect(bye?.messageId).not.to.equal(hello?.messageId);
    for (const { text, from } of group.heard) {
      expect(valid(text)).to.deep.equal([]);
      expect(from).to.equal("127.0.0.1");
    }
  });

  it("says Hello once more, with a version that has grown, of a device that was changed, once for changes at one time", async () => {
    others = ["other"];
    await clock.advance(SECOND / 2);
    const [first] = await group.hears(2);
    server.changed(ENDPOINT);
    server.changed(ENDPOINT);
    await clock.advance(SECOND / 2);
    const last = (await group.hears(3))[2];
    const [before, now] = [first, last].map((message) =>
      message?.body.kind === "Hello" ? message.body.device : undefined,
    );
    expect([before?.endpoint, now?.endpoint]).to.deep.equal([ENDPOINT, ENDPOINT]);
    expect(now?.metadataVersion).to.be.greaterThan(before?.metadataVersion ?? Number.POSITIVE_INFINITY);
    expect(valid(group.heard[2]?.text ?? "")).to.deep.equal([]);
    await server.close();
    expect((await group.hears(5)).map(({ body }) => body.kind)).to.deep.equal([
      "Hello",
      "Hello",
      "Hello",
      "Bye",
      "Bye",
    ]);
  });

  it("says no Bye where it said no Hello, and has no timers left", async () => {
    await server.close();
    expect(clock.pending).to.equal(0);
    server = make(["127.0.0.1"]);
    await server.start();
    const later = await listen(GROUP_V4, server.port);
    later.socket.addMembership(GROUP_V4, "127.0.0.1");
    await clock.advance(SECOND / 2);
    const [first] = await later.hears(1);
    expect(first?.body.kind).to.equal("Hello");
    expect(group.heard).to.deep.equal([]);
  });

  for (const [style, text] of Object.entries(PROBES))
    it(`answers a probe that is written ${style}`, async () => {
      const id = "urn:uuid:11111111-2222-3333-4444-555555555555";
      await everybody(text(id));
      const [answer] = await client.hears(1);
      expect(answer?.relatesTo).to.equal(id);
      expect(answer?.body).to.have.property("kind", "ProbeMatches");
      expect(answer?.body).to.have.nested.property("matches[0].endpoint", ENDPOINT);
      expect(answer?.body)
        .to.have.nested.property("matches[0].xaddrs")
        .that.deep.equals(["http://127.0.0.1:8080/onvif/device_service"]);
      expect(valid(client.heard[0]?.text ?? "")).to.deep.equal([]);
    });

  it("answers for each of several devices in a datagram of its own, and for the one that is asked for", async () => {
    others = ["gate", "yard"];
    await direct(probe("urn:1"));
    const answers = await client.hears(3);
    const endpoints = answers.map(({ body }) =>
      body.kind === "ProbeMatches" ? body.matches.map((one) => one.endpoint) : [],
    );
    expect(endpoints).to.deep.equal([[ENDPOINT], ["urn:uuid:gate"], ["urn:uuid:yard"]]);
    await server.close();
    await clock.advance(SECOND / 2);
    expect(clock.pending).to.equal(0);
  });

  it("answers no more datagrams in a second than it says, however many devices there are", async () => {
    const budget = new AnswerBudget(clock);
    const spent = Array.from({ length: 1000 }, () => budget.spend()).filter(Boolean);
    expect(spent).to.have.length(600);
    await clock.advance(SECOND);
    expect(budget.spend()).to.equal(true);
  });

  it("waits for a random while before it answers what went to everybody, and answers at once what went to it", async () => {
    await direct(probe("urn:1"));
    expect((await client.hears(1))[0]?.relatesTo).to.equal("urn:1");
    const { pending } = clock;
    await client.say(probe("urn:2"), server.port, GROUP_V4);
    await waiting(pending + 1);
    await direct(probe("urn:3"));
    expect((await client.hears(2))[1]?.relatesTo).to.equal("urn:3");
    await clock.advance(SECOND / 2);
    expect((await client.hears(3))[2]?.relatesTo).to.equal("urn:2");
  });

  it("answers only probes whose types and scopes are ours", async () => {
    const other = printMessage({
      messageId: "urn:1",
      body: { kind: "Probe", types: [{ ns: DN, name: "NetworkVideoDisplay" }], scopes: [] },
    });
    for (const datagram of [other, probe("urn:2", ["onvif://www.onvif.org/location"])]) await direct(datagram);
    await direct(probe("urn:3", ["onvif://www.onvif.org/name"]));
    expect((await client.hears(1)).map(({ relatesTo }) => relatesTo)).to.deep.equal(["urn:3"]);
  });

  it("tells its addresses to who asks for its endpoint, and to no other", async () => {
    const resolve = (messageId: string, endpoint: string): Buffer =>
      printMessage({ messageId, body: { kind: "Resolve", endpoint } });
    await direct(resolve("urn:1", "urn:uuid:00000000-0000-0000-0000-000000000000"));
    await direct(resolve("urn:2", ENDPOINT.toUpperCase()));
    const [answer] = await client.hears(1);
    expect(answer).to.deep.include({ relatesTo: "urn:2" });
    expect(answer?.body).to.have.nested.property("match.endpoint", ENDPOINT);
    expect(valid(client.heard[0]?.text ?? "")).to.deep.equal([]);
  });

  it("answers a question that is repeated once, as datagrams are sent several times", async () => {
    for (let count = 0; count < 3; count += 1) await direct(probe("urn:same"));
    await direct(probe("urn:other"));
    expect((await client.hears(2)).map(({ relatesTo }) => relatesTo)).to.deep.equal(["urn:same", "urn:other"]);
    await clock.advance(10 * SECOND);
    await direct(probe("urn:same"));
    expect((await client.hears(3))[2]?.relatesTo).to.equal("urn:same");
  });

  it("answers two clients of one machine that gave their questions the same name", async () => {
    const other = await listen("127.0.0.1");
    await direct(probe("urn:same"));
    await direct(probe("urn:same"), other);
    expect((await client.hears(1))[0]?.relatesTo).to.equal("urn:same");
    expect((await other.hears(1))[0]?.relatesTo).to.equal("urn:same");
  });

  it("answers everybody within the half second for which some clients listen", async () => {
    for (let count = 0; count < 10; count += 1) {
      const { pending } = clock;
      await client.say(probe(`urn:${count}`), server.port, GROUP_V4);
      await waiting(pending + 1);
      await clock.advance(100);
      await client.hears(count + 1);
      // The next four seconds are for the budget of one sender.
      await clock.advance(4 * SECOND);
    }
  });

  it("answers one sender so often and then leaves it alone for a while, and others not", async () => {
    const other = await listen("127.0.0.2");
    for (let count = 0; count < 20; count += 1) await direct(probe(`urn:${count}`));
    await direct(probe("urn:other"), other);
    await other.hears(1);
    await clock.advance(4 * SECOND);
    await direct(probe("urn:later"));
    const answers = await client.hears(13);
    expect(answers.map(({ relatesTo }) => relatesTo)).to.deep.equal([
      ...Array.from({ length: 12 }, (_, index) => `urn:${index}`),
      "urn:later",
    ]);
  });

  it("holds no more answers than fifty at one time", async () => {
    const senders = await Promise.all(Array.from({ length: 8 }, (_, index) => listen(`127.0.0.${10 + index}`)));
    const { pending } = clock;
    for (const [index, { socket }] of senders.entries()) {
      socket.setMulticastInterface("127.0.0.1");
      for (let count = 0; count < 10; count += 1)
        await (senders[index] as Listener).say(probe(`urn:${index}:${count}`), server.port, GROUP_V4);
    }
    // The greeting waits too.
    await waiting(pending + 49);
    for (let turn = 0; turn < 50; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
    expect(clock.pending).to.equal(50);
  });

  it("drops in silence what it does not understand, and what is no question", async () => {
    const answer: DiscoveryMessage["body"] = { kind: "ProbeMatches", matches: [] };
    for (const datagram of [
      "",
      "hello",
      "<a/>",
      PROBES["for whatever there is"]?.("urn:1").replace(SOAP, "urn:x") ?? "",
      `<!DOCTYPE x [<!ENTITY e "e">]>${PROBES["for whatever there is"]?.("urn:1")}`,
      " ".repeat(20_000),
      printMessage({ messageId: "urn:2", body: answer }),
      printMessage({ messageId: "urn:3", body: { kind: "Bye", endpoint: "urn:x" } }),
    ])
      await direct(datagram);
    await direct(probe("urn:last"));
    expect((await client.hears(1)).map(({ relatesTo }) => relatesTo)).to.deep.equal(["urn:last"]);
  });

  it("does not answer senders off its networks", async function () {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one !== undefined && one.family === "IPv4" && !one.internal)?.address;
    if (outside === undefined) return missing(this, "an IPv4 address besides loopback");
    const stranger = await listen(outside);
    await direct(probe("urn:stranger"), stranger);
    await direct(probe("urn:1"));
    await client.hears(1);
    // One more round, so that an answer to the stranger would have come.
    await direct(probe("urn:2"));
    await client.hears(2);
    expect(stranger.heard).to.deep.equal([]);
  });

  it("does not start where none of its addresses can be used, and goes on where some can", async () => {
    const started = async (...addresses: readonly string[]): Promise<unknown> => {
      const other = make(addresses);
      try {
        await other.start();
        await other.close();
        return "started";
      } catch (error) {
        return isFault(error, "unavailable") ? "unavailable" : error;
      }
    };
    expect(await started("192.0.2.250")).to.equal("unavailable");
    expect(await started("::1")).to.equal("unavailable");
    expect(await started("::1", "127.0.0.1")).to.equal("started");
  });
});
