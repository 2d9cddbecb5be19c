import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { SimCamera } from "../../sim/camera-options.ts";
import { attributeOf, findPath } from "../../wsdl/xml.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { officialValidator } from "../support/official-schemas.ts";
import { OnvifClient, PATHS, type Reply, texts } from "../support/onvif-client.ts";
import { onvifEndpoint } from "../support/onvif-endpoint.ts";
import type { Answer } from "../support/onvif-site.ts";

const EVERYTHING = { live: "any", snapshot: "any", ptz: "any", presets: "any", imaging: "any", relay: "any" } as const;
/** What the simulated camera calls its own things. */
const CAMERAS_OWN = /sim_|video_source|main|127\.0\.(?!0\.)\d+/;

describe("controlling a camera through the bridge", () => {
  const valid = officialValidator();
  let t: TestBridge;
  let camera: SimCamera;
  let id: string;
  let all: OnvifClient;

  const clientOf = (login: Login): OnvifClient => new OnvifClient(onvifEndpoint(t), login);
  const profile = (): string => `<tptz:ProfileToken>${id}</tptz:ProfileToken>`;
  const move = (client: OnvifClient, x = 1, more = ""): Promise<Reply> =>
    client.call(
      "tptz",
      "ContinuousMove",
      `${profile()}<tptz:Velocity><tt:PanTilt x="${x}" y="0"/></tptz:Velocity>${more}`,
    );
  const told = (reply: Reply): Reply => {
    expect(reply.fault).to.equal(undefined);
    expect(valid(reply.body)).to.deep.equal([]);
    expect(reply.body).not.to.match(CAMERAS_OWN);
    return reply;
  };

  before(async () => {
    t = await startTestBridge();
    camera = await t.camera({ controls: true, name: "Gate" });
    id = await t.adopt(camera);
    all = clientOf(await t.account(EVERYTHING));
    const has = async (): Promise<boolean> => (await all.call("tptz", "GetNodes")).element.children.length > 0;
    await eventually(has);
  });
  after(() => t?.close());
  afterEach(() => all.call("tptz", "Stop", profile()));

  it("tells the camera's spaces, without its tokens", async () => {
    const { element } = told(await all.call("tptz", "GetNodes"));
    expect(element.children.map((node) => attributeOf(node, "token"))).to.deep.equal([id]);
    expect(element.children[0] && findPath(element.children[0], "SupportedPTZSpaces")?.children).to.have.length(6);
    const profiles = told(await all.call("trt", "GetProfiles"));
    for (const one of profiles.element.children)
      expect(attributeOf(findPath(one, "PTZConfiguration") ?? one, "token")).to.equal(id);
    told(await all.call("tptz", "GetConfigurationOptions", `<tptz:ConfigurationToken>${id}</tptz:ConfigurationToken>`));
  });

  it("moves the camera until it is stopped, and tells where it is", async () => {
    told(await move(all, 1, "<tptz:Timeout>PT1M</tptz:Timeout>"));
    await eventually(() => (camera.motion?.position.pan ?? 0) > 0.05);
    const { element } = told(await all.call("tptz", "GetStatus", profile()));
    expect(texts(element, "PanTilt")).to.include("MOVING");
    told(await all.call("tptz", "Stop", profile()));
    expect(camera.motion?.moving).to.equal(false);
    told(
      await all.call(
        "tptz",
        "AbsoluteMove",
        `${profile()}<tptz:Position><tt:PanTilt x="-0.5" y="0.25"/><tt:Zoom x="0.5"/></tptz:Position>`,
      ),
    );
    expect(camera.motion?.position).to.deep.equal({ pan: -0.5, tilt: 0.25, zoom: 0.5 });
  });

  it("ends a move by itself when nobody says so", async () => {
    const before = camera.motion?.position.pan ?? 1;
    told(await move(all, 0.1, "<tptz:Timeout>PT0.2S</tptz:Timeout>"));
    await eventually(() => camera.motion?.moving === false);
    expect(camera.motion?.position.pan).to.be.above(before);
  });

  it("keeps, finds again and forgets places under tokens of its own", async () => {
    told(await all.call("tptz", "AbsoluteMove", `${profile()}<tptz:Position><tt:Zoom x="0.75"/></tptz:Position>`));
    const made = told(
      await all.call("tptz", "SetPreset", `${profile()}<tptz:PresetName>Door &amp; gate</tptz:PresetName>`),
    );
    const [token = ""] = texts(made.element, "PresetToken");
    const preset = `${profile()}<tptz:PresetToken>${token}</tptz:PresetToken>`;
    const list = told(await all.call("tptz", "GetPresets", profile()));
    expect(list.element.children.map((one) => [attributeOf(one, "token"), ...texts(one, "Name")])).to.deep.equal([
      [token, "Door & gate"],
    ]);
    told(await all.call("tptz", "AbsoluteMove", `${profile()}<tptz:Position><tt:Zoom x="0"/></tptz:Position>`));
    told(await all.call("tptz", "GotoPreset", preset));
    expect(camera.motion?.position.zoom).to.equal(0.75);
    told(await all.call("tptz", "RemovePreset", preset));
    const gone = await all.call("tptz", "GotoPreset", preset);
    expect(gone.fault?.subcodes).to.deep.equal(["InvalidArgVal", "NoToken"]);
    expect(valid(gone.body)).to.deep.equal([]);
  });

  it("shows and operates the camera's preset tours under tokens of its own", async () => {
    const { motion } = camera;
    motion?.presets.set("sim_preset_door", { name: "Door", at: { pan: 0, tilt: 0, zoom: 0 } });
    motion?.tours.set("sim_tour_2", { name: "Gate & yard", presets: ["sim_preset_door"], state: "Idle" });
    const node = told(await all.call("tptz", "GetNodes"));
    expect(texts(node.element, "PTZPresetTourOperation")).to.deep.equal(["Start", "Stop", "Pause"]);
    const list = told(await all.call("tptz", "GetPresetTours", profile()));
    const [, round] = list.element.children;
    const token = (round && attributeOf(round, "token")) ?? "";
    const [preset] = told(await all.call("tptz", "GetPresets", profile())).element.children;
    expect(round && texts(round, "PresetToken")).to.deep.equal([preset && attributeOf(preset, "token")]);
    const of = (name: string): string => `${profile()}<tptz:PresetTourToken>${name}</tptz:PresetTourToken>`;
    const operate = (operation: string, name = token): Promise<Reply> =>
      all.call("tptz", "OperatePresetTour", `${of(name)}<tptz:Operation>${operation}</tptz:Operation>`);
    const state = async (): Promise<string | undefined> =>
      texts(told(await all.call("tptz", "GetPresetTour", of(token))).element, "State")[0];
    told(await operate("Start"));
    expect(await state()).to.equal("Touring");
    const first = list.element.children[0];
    const refused = await operate("Start", first && attributeOf(first, "token"));
    expect(refused.fault?.subcodes).to.deep.equal(["InvalidArgVal", "ActivationFailed"]);
    expect(valid(refused.body)).to.deep.equal([]);
    told(await operate("Pause"));
    expect(await state()).to.equal("Paused");
    told(await operate("Stop"));
    expect(motion?.tours.get("sim_tour_2")?.state).to.equal("Idle");
    for (const name of ["sim_tour_2", "none"])
      expect((await operate("Start", name)).fault?.subcodes).to.deep.equal(["InvalidArgVal", "NoToken"]);
    const keeper = clientOf(await t.account({ presets: "any" }));
    told(await keeper.call("tptz", "GetPresetTours", profile()));
    const denied = await keeper.call("tptz", "OperatePresetTour", `${of(token)}<tptz:Operation>Start</tptz:Operation>`);
    expect(denied.fault?.subcodes).to.deep.equal(["NotAuthorized"]);
    motion?.presets.clear();
    motion?.tours.delete("sim_tour_2");
  });

  it("makes, changes and removes preset tours at the camera, with the right to presets", async () => {
    const { motion } = camera;
    motion?.presets.set("sim_preset_door", { name: "Door", at: { pan: 0, tilt: 0, zoom: 0 } });
    const [preset] = told(await all.call("tptz", "GetPresets", profile())).element.children;
    const door = (preset && attributeOf(preset, "token")) ?? "";
    const options = told(await all.call("tptz", "GetPresetTourOptions", profile()));
    expect(texts(options.element, "PresetToken")).to.deep.equal([door]);
    expect(texts(options.element, "AutoStart")).to.deep.equal(["false"]);
    const [token = ""] = texts(told(await all.call("tptz", "CreatePresetTour", profile())).element, "PresetTourToken");
    expect(token).to.match(/^[0-9a-f]{12}$/);
    const wish = (
      detail: string,
      more: { readonly tour?: string; readonly autoStart?: boolean } = {},
    ): Promise<Reply> =>
      all.call(
        "tptz",
        "ModifyPresetTour",
        `${profile()}<tptz:PresetTour token="${more.tour ?? token}"><tt:Name>Night</tt:Name><tt:Status><tt:State>Idle</tt:State><tt:CurrentTourSpot><tt:PresetDetail>${detail}</tt:PresetDetail></tt:CurrentTourSpot></tt:Status><tt:AutoStart>${more.autoStart ?? false}</tt:AutoStart><tt:StartingCondition><tt:Extension/></tt:StartingCondition><tt:TourSpot><tt:PresetDetail>${detail}</tt:PresetDetail><tt:StayTime>PT5S</tt:StayTime></tt:TourSpot></tptz:PresetTour>`,
      );
    const atDoor = `<tt:PresetToken>${door}</tt:PresetToken>`;
    told(await wish(atDoor));
    expect(motion?.tours.get("sim_tour_2")).to.deep.include({ name: "Night", presets: ["sim_preset_door"] });
    const refused: readonly (readonly [reply: Promise<Reply>, word: string])[] = [
      [wish(atDoor, { autoStart: true }), "InvalidPresetTour"],
      [wish(""), "InvalidPresetTour"],
      // The camera's own tokens are nobody's here.
      [wish("<tt:PresetToken>sim_preset_door</tt:PresetToken>"), "NoToken"],
      [wish(atDoor, { tour: "sim_tour_2" }), "NoToken"],
    ];
    for (const [reply, word] of refused) {
      const { fault, body } = await reply;
      expect([fault?.code, ...(fault?.subcodes ?? [])]).to.deep.equal(["Sender", "InvalidArgVal", word]);
      expect(valid(body)).to.deep.equal([]);
    }
    const named = `${profile()}<tptz:PresetTourToken>${token}</tptz:PresetTourToken>`;
    const mover = clientOf(await t.account({ ptz: "any" }));
    for (const [operation, content] of [
      ["CreatePresetTour", profile()],
      ["RemovePresetTour", named],
    ] as const)
      expect((await mover.call("tptz", operation, content)).fault?.subcodes, operation).to.deep.equal([
        "NotAuthorized",
      ]);
    told(await all.call("tptz", "RemovePresetTour", named));
    expect([...(motion?.tours.keys() ?? [])]).to.deep.equal(["sim_tour_1"]);
    motion?.presets.clear();
  });

  it("says in ONVIF's words, not in the camera's, why the camera refuses", async () => {
    const reply = await all.call("tptz", "AbsoluteMove", `${profile()}<tptz:Position><tt:Zoom x="7"/></tptz:Position>`);
    expect(reply.fault?.subcodes).to.deep.equal(["InvalidArgVal", "InvalidPosition"]);
    expect(reply.body).not.to.include("something wrong");
  });

  it("is for one account at a time", async () => {
    told(await move(all, 0.1));
    const other = clientOf(await t.account(EVERYTHING));
    const refused = await move(other);
    expect([refused.status, refused.fault?.reason]).to.deep.equal([
      500,
      "Somebody else is moving this camera: try again when they have let it rest for ten seconds",
    ]);
    expect(valid(refused.body)).to.deep.equal([]);
  });

  it("is stopped when the account that moves it is removed", async () => {
    const own = await startTestBridge();
    try {
      const moved = await own.camera({ controls: true });
      const login = await own.account(EVERYTHING);
      const token = await own.adopt(moved);
      const { control } = own.cameras(login)[0] ?? {};
      await eventually(() => control?.controls.ptz !== undefined);
      const client = new OnvifClient(onvifEndpoint(own), login);
      const velocity = `<tptz:Velocity><tt:Zoom x="0.01"/></tptz:Velocity><tptz:Timeout>PT1M</tptz:Timeout>`;
      const asked = `<tptz:ProfileToken>${token}</tptz:ProfileToken>${velocity}`;
      expect((await client.call("tptz", "ContinuousMove", asked)).fault).to.equal(undefined);
      expect(moved.motion?.moving).to.equal(true);
      await own.bridge.parts.accounts.remove(login.id);
      await eventually(() => moved.motion?.moving === false);
    } finally {
      await own.close();
    }
  });

  it("is nothing to an account that may watch alone", async () => {
    const watcher = clientOf(await t.account({ live: "any" }));
    expect(told(await watcher.call("tptz", "GetNodes")).element.children).to.deep.equal([]);
    expect(told(await watcher.call("trt", "GetProfiles")).body).not.to.include("PTZConfiguration");
    expect((await move(watcher)).fault?.subcodes).to.deep.equal(["NotAuthorized"]);
    expect(camera.motion?.moving).to.equal(false);
    const status = await watcher.call("tptz", "GetStatus", profile());
    expect(status.fault?.subcodes).to.deep.equal(["InvalidArgVal", "NoPTZProfile"]);
    const source = `<timg:VideoSourceToken>${id}</timg:VideoSourceToken>`;
    expect((await watcher.call("timg", "Stop", source)).fault?.subcodes).to.deep.equal(["NotAuthorized"]);
    expect(told(await watcher.call("tds", "GetRelayOutputs")).element.children).to.deep.equal([]);
  });

  it("answers for a hidden camera as for one that is not there", async () => {
    const stranger = clientOf(await t.account({}));
    for (const [operation, content] of [
      ["Stop", ""],
      ["GetStatus", ""],
      ["ContinuousMove", `<tptz:Velocity><tt:Zoom x="1"/></tptz:Velocity>`],
    ] as const) {
      const [hidden, absent] = await Promise.all(
        [id, "nowhere"].map((token) =>
          stranger.call("tptz", operation, `<tptz:ProfileToken>${token}</tptz:ProfileToken>${content}`),
        ),
      );
      expect(hidden?.fault?.subcodes).to.deep.equal(["InvalidArgVal", "NoProfile"]);
      expect([hidden?.status, hidden?.body]).to.deep.equal([absent?.status, absent?.body]);
    }
  });

  it("stands in the audit log, with its beginning", async () => {
    const text = await readFile(join(t.folder, "audit.log"), "utf8");
    const entries = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { action: string; camera?: string });
    const actions = new Set(entries.filter((entry) => entry.camera === id).map(({ action }) => action));
    expect([...actions]).to.include.members(["ptz", "presets", "ptz-begin"]);
  });

  it("sets how the camera sees", async () => {
    const source = `<timg:VideoSourceToken>${id}</timg:VideoSourceToken>`;
    expect(texts(told(await all.call("timg", "GetImagingSettings", source)).element, "Brightness")).to.deep.equal([
      "50",
    ]);
    const set = (value: number): Promise<Reply> =>
      all.call(
        "timg",
        "SetImagingSettings",
        `${source}<timg:ImagingSettings><tt:Brightness>${value}</tt:Brightness></timg:ImagingSettings>`,
      );
    told(await set(70));
    expect(camera.settable?.brightness).to.equal(70);
    expect((await set(101)).fault?.subcodes).to.deep.equal(["InvalidArgVal", "SettingsInvalid"]);
    told(await all.call("timg", "GetOptions", source));
    told(await all.call("timg", "GetMoveOptions", source));
    const focus = "<timg:Focus><tt:Absolute><tt:Position>0.5</tt:Position></tt:Absolute></timg:Focus>";
    told(await all.call("timg", "Move", source + focus));
    expect(texts(told(await all.call("timg", "GetStatus", source)).element, "Position")).to.deep.equal(["0.5"]);
  });

  for (const prefix of ["tds", "tmd"] as const)
    it(`switches relays at the service of ${prefix}`, async () => {
      // Device I/O borrows the device service's messages, so their elements are of that.
      const ask = (operation: string, content = ""): Promise<Reply> =>
        all.call("tds", operation, content, false, `/onvif/${PATHS[prefix]}`);
      const { element } = told(await ask("GetRelayOutputs"));
      const relay = attributeOf(element.children[0] ?? element, "token") ?? "";
      const state = (word: string, token = relay): Promise<Reply> =>
        ask(
          "SetRelayOutputState",
          `<tds:RelayOutputToken>${token}</tds:RelayOutputToken><tds:LogicalState>${word}</tds:LogicalState>`,
        );
      told(await state("active"));
      expect(camera.settable?.relay).to.equal("active");
      told(await state("inactive"));
      expect(camera.settable?.relay).to.equal("inactive");
      expect((await state("active", `${id}_none`)).fault?.subcodes).to.deep.equal(["InvalidArgVal", "RelayToken"]);
    });

  it("lists inputs and sources", async () => {
    const inputs = told(await all.call("tmd", "GetDigitalInputs"));
    expect(inputs.element.children.map((one) => attributeOf(one, "IdleState"))).to.deep.equal(["open"]);
    expect(texts(told(await all.call("tmd", "GetVideoSources")).element, "Token")).to.deep.equal([id]);
  });

  it("hands on the camera's own picture to who may have it", async () => {
    const { element } = told(await all.call("tr2", "GetSnapshotUri", `<tr2:ProfileToken>${id}</tr2:ProfileToken>`));
    const url = new URL(texts(element, "Uri")[0] ?? "");
    const login = await t.account({ snapshot: "any" });
    const get = (who: Login | undefined): Promise<Answer> => {
      const basic = who && `Basic ${Buffer.from(`${who.name}:${who.secret}`).toString("base64")}`;
      const headers = basic === undefined ? {} : { authorization: basic };
      return onvifEndpoint(t).send({ path: url.pathname, method: "GET", headers, tls: true });
    };
    const picture = await get(login);
    expect([picture.status, picture.headers["content-type"]]).to.deep.equal([200, "image/jpeg"]);
    expect((await get(undefined)).status).to.equal(401);
    expect((await get(await t.account({}))).status).to.equal(404);
    expect((await get(await t.account({ live: "any" }))).status).to.equal(403);
  });
});
