import { EventEmitter } from "node:events";
import { expect } from "chai";
import type { AuditEntry } from "../../auth/audit.ts";
import { Leases } from "../../auth/leases.ts";
import type { EffectiveGrant, Principal } from "../../auth/principal.ts";
import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { SECOND } from "../../base/units.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import type { CameraControl } from "../../bridge/camera-control.ts";
import { PtzHolders } from "../../bridge/client-side/ptz-holders.ts";
import { speedOf } from "../../bridge/client-side/ptz-requests.ts";
import { Watch } from "../../bridge/client-side/watch.ts";
import type { WebSocket } from "../../net/websocket.ts";
import { PtzFeed } from "../../web/ptz-feed.ts";
import { type FakeControl, fakeControl } from "../support/fake-control.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const PTZ: EffectiveGrant = { right: "ptz", cameras: "any", interfaces: "any" };
const FROM = { interface: "web", address: "192.0.2.1" } as const;
const RIGHT = { type: "move", pan: 0.5, tilt: 0, zoom: 0 };

/** The bridge's end of a WebSocket. */
class Page extends EventEmitter {
  readonly OPEN = 1;
  readyState = this.OPEN;
  readonly told: object[] = [];
  code: number | undefined;

  send(text: string): void {
    this.told.push(JSON.parse(text) as object);
  }

  close(code: number): void {
    this.readyState = 2;
    this.code = code;
  }

  say(request: object | string): void {
    this.emit("message", Buffer.from(typeof request === "string" ? request : JSON.stringify(request)));
  }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe("a page that moves a camera", () => {
  let clock: VirtualClock;
  let audited: AuditEntry[];
  let control: FakeControl;
  let holders: PtzHolders;
  let page: Page;
  let feed: PtzFeed;
  let fails: Fault | undefined;
  /** What the camera waits for before it answers. */
  let answers: Promise<void>;

  const person = (name: string, grants: readonly EffectiveGrant[] = [PTZ]): Principal => {
    const revoked = new AbortController().signal;
    return { accountId: name, name, kind: "person", grants, now: () => clock.now(), revoked };
  };
  let camera: BridgedCamera;
  const open = (who: Principal): void => {
    page = new Page();
    feed = new PtzFeed(page as unknown as WebSocket, camera, { who, from: FROM }, { ...options(), log: silentLog() });
  };
  let watch: Watch;
  const options = () => ({ watch, ptzHolders: holders, clock });

  beforeEach(() => {
    clock = new VirtualClock();
    audited = [];
    fails = undefined;
    answers = Promise.resolve();
    control = fakeControl();
    const asked: CameraControl = {
      ...control,
      async ptz(operation, request) {
        await answers;
        if (fails !== undefined) throw fails;
        return control.ptz(operation, request);
      },
    };
    camera = {
      info: { id: "gate" },
      control: asked,
      removed: new AbortController().signal,
    } as unknown as BridgedCamera;
    const audit = { record: (entry: AuditEntry) => void audited.push(entry) };
    const leases = new Leases({ accounts: { principalOf: () => undefined, credentialOf: () => "one" }, audit, clock });
    watch = new Watch({ list: () => [camera], find: () => camera }, audit, leases);
    holders = new PtzHolders({ clock, audit, watch });
    open(person("ada"));
  });
  afterEach(async () => {
    feed.close();
    await settled();
    holders.close();
    expect(clock.pending).to.equal(0);
  });

  const operations = (): readonly string[] => control.asked.map(([operation]) => operation);
  const says = async (...requests: readonly (object | string)[]): Promise<void> => {
    for (const request of requests) page.say(request);
    await settled();
  };

  it("has it move in the camera's own ranges, and stand still when it says so", async () => {
    await says(RIGHT);
    const space = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace";
    expect(control.asked).to.deep.equal([
      ["ContinuousMove", { Velocity: { PanTilt: { x: 0.5, y: 0, space } }, Timeout: 3000 }],
    ]);
    await says({ type: "stop" });
    expect(control.asked.at(-1)).to.deep.equal(["Stop", { PanTilt: true, Zoom: true }]);
    await says({ type: "stop" });
    expect(operations()).to.deep.equal(["ContinuousMove", "Stop"]);
    expect(audited.map(({ action, interface: door }) => [action, door])).to.deep.equal([
      ["ptz", "web"],
      ["ptz-begin", "web"],
    ]);
  });

  it("goes on while the page says so again, asks the camera no more than it must, and writes it down once", async () => {
    for (let count = 0; count < 20; count += 1) {
      await says(RIGHT);
      await clock.advance(0.5 * SECOND);
    }
    expect(operations()).to.deep.equal(Array.from({ length: 10 }, () => "ContinuousMove"));
    expect(audited.filter(({ action }) => action === "ptz")).to.have.length(1);
  });

  it("is stopped when the page says nothing any more", async () => {
    await says(RIGHT);
    await clock.advance(1.4 * SECOND);
    await settled();
    expect(operations()).to.deep.equal(["ContinuousMove"]);
    await clock.advance(0.1 * SECOND);
    await settled();
    expect(operations()).to.deep.equal(["ContinuousMove", "Stop"]);
  });

  it("is stopped when the page is gone, also where the camera has not answered yet", async () => {
    const answer = Promise.withResolvers<void>();
    answers = answer.promise;
    await says(RIGHT);
    feed.close();
    await settled();
    expect(operations()).to.deep.equal([]);
    answer.resolve();
    await settled();
    expect(operations()).to.deep.equal(["ContinuousMove", "Stop"]);
  });

  it("turns to what is wanted last, where a slow camera has not answered what was wanted before", async () => {
    const answer = Promise.withResolvers<void>();
    answers = answer.promise;
    await says(RIGHT, { ...RIGHT, pan: 0.6 }, { ...RIGHT, pan: 0.7 }, { ...RIGHT, pan: -1 });
    answer.resolve();
    await settled();
    const pans = control.asked.map(([, { Velocity }]: readonly [string, { Velocity?: object }]) => Velocity);
    expect(pans).to.have.length(2);
    expect(pans[1]).to.deep.include({ PanTilt: { ...(pans[1] as { PanTilt: object }).PanTilt, x: -1 } });
  });

  it("does not stop what somebody else has taken over", async () => {
    open({ ...person("vms"), kind: "integration" });
    await says(RIGHT);
    holders.take(person("grace"), camera, "ptz", FROM);
    await says({ type: "stop" });
    expect(operations()).to.deep.equal(["ContinuousMove"]);
  });

  it("is told why, once, and may try again", async () => {
    fails = new Fault("unavailable", "gate", { tell: "the camera does not answer" });
    await says(RIGHT);
    expect(page.told).to.deep.equal([{ type: "refused", why: "the camera does not answer" }]);
    fails = undefined;
    await says(RIGHT);
    expect(operations()).to.deep.equal(["ContinuousMove"]);
  });

  it("moves nothing without the right, nor what somebody else holds", async () => {
    open(person("eve", [{ ...PTZ, right: "live" }]));
    await says(RIGHT);
    expect(page.told).to.deep.equal([{ type: "refused", why: "not allowed" }]);
    holders.take(person("grace"), camera, "presets", FROM);
    open(person("ada"));
    await says(RIGHT);
    await says(RIGHT);
    expect(page.told).to.have.length(2);
    expect(page.told[1])
      .to.have.property("why")
      .that.matches(/^Somebody else is moving this camera/);
    expect(operations()).to.deep.equal([]);
  });

  it("is hung up on where it sends what makes no sense, and the camera stopped", async () => {
    for (const text of ["", "{", "{}", '{"type":"move","pan":2,"tilt":0,"zoom":0}', '{"type":"stop","more":1}']) {
      open(person("ada"));
      await says(RIGHT, text, RIGHT);
      expect([page.code, operations().at(-1)], text).to.deep.equal([4400, "Stop"]);
    }
  });

  it("is understood in ranges that are not as wide to either side, and of cameras that do not zoom, or do nothing else", () => {
    const { ptz } = control.controls;
    if (ptz === undefined) throw new Error("no head");
    const zoom = { URI: "zoom", XRange: { Min: -2, Max: 4 } };
    const only = { ...ptz, options: { ...ptz.options, Spaces: { ContinuousZoomVelocitySpace: [zoom] } } };
    const part = (value: number) => speedOf(only, { pan: 1, tilt: 1, zoom: value }).Zoom?.x;
    expect([part(0.5), part(-0.5), part(0)]).to.deep.equal([2, -1, 0]);
    expect(speedOf(only, { pan: 1, tilt: 1, zoom: 1 })).to.have.all.keys("Zoom");
    expect(speedOf(ptz, { pan: 1, tilt: 1, zoom: 1 })).to.have.all.keys("PanTilt");
  });
});
