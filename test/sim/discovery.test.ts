import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { type Found, probe } from "../../discovery/client/probe.ts";
import {
  type DiscoveryMessage,
  NETWORK_VIDEO_TRANSMITTER,
  parseMessage,
  printMessage,
} from "../../discovery/message.ts";
import { type CameraSide, cameraSide } from "../../net/sides.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { freeUdpPort } from "../support/bridge.ts";
import { officialValidator } from "../support/official-schemas.ts";
import { NETWORK, startCamera } from "./fixture.ts";

const NAMES = ["Gate", "Entrance", "Car park", "Loading bay"];

describe("simulated cameras that share a discovery port", () => {
  let port: number;
  let cameras: readonly SimCamera[];

  before(async () => {
    port = await freeUdpPort();
    cameras = await Promise.all(
      NAMES.map((name, index) => startCamera({ name, address: `${NETWORK}.${index + 1}`, discoveryPort: port })),
    );
  });
  after(() => Promise.all(cameras.map((camera) => camera.close())));

  const scan = (side: CameraSide, targets: readonly string[] = []): Promise<readonly Found[]> =>
    probe({ side, clock: systemClock, log: silentLog(), port, targets, durationMs: 400, onFound: () => undefined });
  const told = (finds: readonly Found[]): readonly string[] =>
    finds.map(({ name, xaddrs }) => `${name} ${xaddrs.join(" ")}`);
  const expected = (): readonly string[] => cameras.map(({ deviceUrl }, index) => `${NAMES[index]} ${deviceUrl}`);

  it("are all found by multicast, each at its own address", async () => {
    const finds = await scan(cameraSide({ interfaces: ["127.0.0.1"], clientAddresses: [] }));
    expect(told(finds)).to.have.members(expected());
    expect(finds.flatMap(({ types }) => types)).to.include.members(["dn:NetworkVideoTransmitter", "tds:Device"]);
  });

  it("are all found one by one", async () => {
    const side = cameraSide({ interfaces: [`${NETWORK}.0/24`], clientAddresses: [] });
    expect(told(await scan(side, [`${NETWORK}.0/29`]))).to.have.members(expected());
  });

  /** The answers of the first camera to one question by unicast, until a second question that it surely answers. */
  async function ask(body: DiscoveryMessage["body"]): Promise<readonly string[]> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const answers: string[] = [];
    const last = new Promise<void>((resolve) => {
      socket.on("message", (datagram) => {
        const { relatesTo } = parseMessage(datagram);
        if (relatesTo === "urn:uuid:last") resolve();
        else answers.push(datagram.toString());
      });
    });
    socket.send("no XML", port, `${NETWORK}.1`);
    socket.send(printMessage({ messageId: "urn:uuid:question", body }), port, `${NETWORK}.1`);
    socket.send(
      printMessage({ messageId: "urn:uuid:last", body: { kind: "Probe", types: [], scopes: [] } }),
      port,
      `${NETWORK}.1`,
    );
    await last;
    socket.close();
    return answers;
  }

  const questions: readonly (readonly [what: string, body: DiscoveryMessage["body"], answers: number])[] = [
    ["its type", { kind: "Probe", types: [NETWORK_VIDEO_TRANSMITTER], scopes: [] }, 1],
    ["another type", { kind: "Probe", types: [{ ns: "http://printers", name: "Printer" }], scopes: [] }, 0],
    ["its name", { kind: "Probe", types: [], scopes: ["onvif://www.onvif.org/name/Gate"] }, 1],
    ["a beginning of a scope", { kind: "Probe", types: [], scopes: ["onvif://www.onvif.org/Profile"] }, 1],
    ["half a word of a scope", { kind: "Probe", types: [], scopes: ["onvif://www.onvif.org/Prof"] }, 0],
    ["another name", { kind: "Probe", types: [], scopes: ["onvif://www.onvif.org/name/Roof"] }, 0],
    ["what is no probe", { kind: "Bye", endpoint: "urn:uuid:1" }, 0],
  ];
  for (const [what, body, answers] of questions)
    it(`${answers === 1 ? "answers" : "keeps quiet"} when asked for ${what}`, async () => {
      expect(await ask(body)).to.have.length(answers);
    });

  it("answers as the schema says", async () => {
    const problems = officialValidator();
    const [answer = ""] = await ask({ kind: "Probe", types: [], scopes: [] });
    expect(problems(answer)).to.deep.equal([]);
  });
});
