import { expect } from "chai";
import { MINUTE } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Quirk } from "../../sim/quirks.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { OnvifClient } from "../support/onvif-client.ts";

describe("a key frame before its time, from a camera that sends one a minute", () => {
  let t: TestBridge;
  let login: Login;

  before(async () => {
    t = await startTestBridge();
    login = await t.account();
  });
  after(() => t?.close());

  /** Adopts a camera and joins its stream. */
  const watch = async (quirks: readonly Quirk[]): Promise<{ readonly id: string; readonly keys: PacketGroup[] }> => {
    const id = await t.adopt(await t.camera({ quirks: ["long-groups", ...quirks] }));
    const live = t.cameras(login).find(({ info }) => info.id === id)?.streams[0].live;
    await live?.ready(MINUTE);
    const keys: PacketGroup[] = [];
    live?.join({ deliver: (group) => void (group.key && keys.push(group)) });
    await eventually(() => keys.length > 0);
    return { id, keys };
  };
  const onvif = (): OnvifClient =>
    new OnvifClient(
      {
        clock: t.bridge.parts.clock,
        send: async ({ path, body = "", headers = {} }) => {
          const url = `http://127.0.0.1:${t.bridge.parts.addresses().doors.http}${path}`;
          const response = await fetch(url, {
            method: "POST",
            body: String(body),
            headers: {
              "content-type": "application/soap+xml; charset=utf-8",
              // One that is kept may be closed by the bridge, as it is asked for the next request, where this process stood still.
              connection: "close",
              ...(headers as Record<string, string>),
            },
          });
          const challenges = (response.headers.get("www-authenticate") ?? "").split(/, (?=Digest )/);
          return { status: response.status, headers: {}, challenges, body: await response.text() };
        },
      },
      login,
    );

  const cameras: readonly (readonly [how: string, quirks: readonly Quirk[]])[] = [
    ["by RTCP", ["udp-only"]],
    ["through ONVIF where it takes no requests in RTCP", ["no-feedback"]],
    ["through ONVIF where everything is odd", ["no-feedback", "media2-only", "clock-off", "ragged-uri", "token-only"]],
  ];
  for (const [how, quirks] of cameras)
    it(`is asked for ${how}, when a client of ours sets a synchronization point`, async () => {
      const { id, keys } = await watch(quirks);
      for (const prefix of ["trt", "tr2"] as const) {
        const before = keys.length;
        // The camera is asked once a second at most.
        await eventually(async () => {
          const content = `<${prefix}:ProfileToken>${id}</${prefix}:ProfileToken>`;
          const { fault } = await onvif().call(prefix, "SetSynchronizationPoint", content);
          expect(fault).to.equal(undefined);
          return keys.length > before;
        });
      }
    });
});
