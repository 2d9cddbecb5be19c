import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { expect } from "chai";
import { systemClock } from "../../../base/clock.ts";
import { silentLog } from "../../../base/log.ts";
import { type Found, type ProbeOptions, probe } from "../../../discovery/client/probe.ts";
import {
  type DiscoveryMessage,
  GROUP_V4,
  NETWORK_VIDEO_TRANSMITTER,
  parseMessage,
  printMessage,
} from "../../../discovery/message.ts";
import { cameraSide } from "../../../net/sides.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const side = cameraSide({ interfaces: ["127.0.0.1"], clientAddresses: [] });

type Answer = (probe: DiscoveryMessage, sender: RemoteInfo, socket: Socket) => readonly (Buffer | string)[];

const match = (relatesTo: string, more: { endpoint?: string; xaddrs?: readonly string[] } = {}): Buffer =>
  printMessage({
    messageId: "urn:uuid:answer",
    relatesTo,
    body: {
      kind: "ProbeMatches",
      matches: [
        {
          endpoint: more.endpoint ?? "urn:uuid:00000000-0000-0000-0000-000000000001",
          types: [NETWORK_VIDEO_TRANSMITTER],
          scopes: ["onvif://www.onvif.org/name/Gate"],
          xaddrs: more.xaddrs ?? ["http://0.0.0.0:8000/onvif/device_service"],
          metadataVersion: 1,
        },
      ],
    },
  });

describe("a scan for cameras", () => {
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });

  /** Something that hears probes on loopback and says what it likes. */
  async function device(
    answer: Answer,
    bind: { address: string; port?: number } = { address: "0.0.0.0" },
  ): Promise<number> {
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    sockets.push(socket);
    socket.bind({ address: bind.address, port: bind.port ?? 0 });
    await once(socket, "listening");
    if (bind.address === "0.0.0.0") socket.addMembership(GROUP_V4, "127.0.0.1");
    socket.on("message", (datagram, sender) => {
      for (const one of answer(parseMessage(datagram), sender, socket)) socket.send(one, sender.port, sender.address);
    });
    return socket.address().port;
  }

  const scan = (port: number, more: Partial<ProbeOptions> = {}): Promise<readonly Found[]> =>
    probe({ side, clock: systemClock, log: silentLog(), port, durationMs: 200, onFound: () => undefined, ...more });

  it("asks in all three shapes, each with an identifier of its own, and finds who answers", async () => {
    const asked: DiscoveryMessage[] = [];
    const port = await device((question) => {
      asked.push(question);
      return [match(question.messageId)];
    });
    const told: Found[] = [];
    const finds = await scan(port, { onFound: (found) => told.push(found) });
    expect(finds).to.deep.equal(told);
    expect(finds).to.have.length(1);
    expect(finds[0]).to.deep.include({
      ip: "127.0.0.1",
      name: "Gate",
      xaddrs: ["http://127.0.0.1:8000/onvif/device_service"],
    });
    const types = asked.map(({ body }) =>
      body.kind === "Probe" ? body.types.map(({ name }) => name).join() : body.kind,
    );
    expect(new Set(types)).to.deep.equal(new Set(["NetworkVideoTransmitter", "Device", ""]));
    expect(new Set(asked.map(({ messageId }) => messageId))).to.have.property("size", asked.length);
  });

  it("takes an answer that spells the question's identifier in another way", async () => {
    const port = await device(({ messageId }) => [match(messageId.replace("urn:uuid:", "uuid:").toUpperCase())]);
    expect(await scan(port)).to.have.length(1);
  });

  it("drops answers to questions of others, garbage, and what is no answer", async () => {
    const port = await device(({ messageId }) => [
      match("urn:uuid:somebody-else"),
      "garbage",
      "",
      Buffer.alloc(17_000, 0x20),
      Buffer.from(
        match(messageId)
          .toString()
          .replace(/<a:RelatesTo>.*<\/a:RelatesTo>/, ""),
      ),
      printMessage({ messageId: "1", relatesTo: messageId, body: { kind: "Bye", endpoint: "urn:uuid:1" } }),
    ]);
    expect(await scan(port)).to.deep.equal([]);
  });

  it("asks single addresses and ranges, and ends when all have answered", async () => {
    const port = await device(({ messageId }) => [match(messageId, { endpoint: "urn:uuid:00000000-2" })], {
      address: "127.0.6.2",
    });
    const progress: number[] = [];
    const finds = await scan(port, {
      side: cameraSide({ interfaces: ["127.0.6.0/24"], clientAddresses: [] }),
      targets: ["127.0.6.2/32"],
      onProgress: ({ probed, total }) => progress.push(probed, total),
    });
    expect(finds).to.have.length(1);
    expect(finds[0]?.ip).to.equal("127.0.6.2");
    expect(progress).to.deep.equal([0, 1, 1, 1]);
  });

  it("hears out a flood without growing", async () => {
    const port = await device(({ messageId }) =>
      Array.from({ length: 200 }, (_, index) =>
        match(messageId, {
          endpoint: `urn:uuid:${messageId.slice(-12)}-${index}`,
          xaddrs: [`http://127.0.0.1:${index + 1}/onvif/x`],
        }),
      ),
    );
    expect((await scan(port)).length).to.be.at.most(1000);
  });

  it("hears what was answered while this machine stood still for longer than a scan takes", async () => {
    const clock = new VirtualClock();
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      void device(({ messageId }, sender, socket) => {
        answer = () => socket.send(match(messageId), sender.port, sender.address);
        resolve();
        return [];
      }).then((port) => {
        scanning = scan(port, { clock, signal: stop.signal, durationMs: 5000, onFound: () => stop.abort() });
      });
    });
    const stop = new AbortController();
    let scanning: Promise<readonly Found[]> = Promise.resolve([]);
    await asked;
    clock.holdUp(60_000);
    await clock.advance(0);
    answer();
    expect(await scanning).to.have.length(1);
  });

  it("ends at once when it is called off, with what was found", async () => {
    const stop = new AbortController();
    const port = await device(({ messageId }) => [match(messageId)]);
    const finds = await scan(port, { durationMs: 60_000, signal: stop.signal, onFound: () => stop.abort() });
    expect(finds).to.have.length(1);
  });

  it("fails with words for the installer when there is nothing to ask from", async () => {
    const nowhere = cameraSide({ interfaces: ["192.0.2.200"], clientAddresses: [] }, () => ({}));
    const fault = await scan(1, { side: nowhere }).catch((error: unknown) => error);
    expect(fault).to.include({ kind: "unavailable" }).and.have.property("tell");
  });
});
