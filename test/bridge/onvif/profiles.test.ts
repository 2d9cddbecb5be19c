import { expect } from "chai";
import type { Grant } from "../../../auth/principal.ts";
import type { CameraRight } from "../../../auth/right.ts";
import type { XmlElement } from "../../../wsdl/xml.ts";
import { attributeOf, findPath } from "../../../wsdl/xml.ts";
import { officialValidator } from "../../support/official-schemas.ts";
import { element, qualified, written } from "../../support/onvif-calls.ts";
import { OnvifClient, type OnvifEndpoint, type Reply, type ServicePrefix, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";

type Media = "trt" | "tr2";
const MEDIA: readonly Media[] = ["trt", "tr2"];
const SETTABLE = ["VideoSource", "VideoEncoder", "AudioSource", "AudioEncoder", "Metadata"] as const;

const profile = (token: string): string => element("ProfileToken", token);
const config = (token: string): string => element("ConfigurationToken", token);
const part = (type: string, token?: string): string =>
  element("Configuration", element("Type", type) + (token === undefined ? "" : element("Token", token)));
const setup = (stream: string, protocol: string): string =>
  `<StreamSetup><tt:Stream>${stream}</tt:Stream><tt:Transport><tt:Protocol>${protocol}</tt:Protocol></tt:Transport></StreamSetup>`;
const grant = (right: CameraRight, cameras: readonly string[] | "any"): Grant => ({
  right,
  cameras: cameras === "any" ? "any" : new Set(cameras),
  interfaces: "any",
});

describe("a media profile that a client makes", () => {
  let site: OnvifTestSite;
  const valid = officialValidator();
  beforeEach(async () => {
    site = await startOnvifSite({ cameraDevices: { discoverable: false, own: [], shown: new Map() } });
  });
  afterEach(() => site.close());

  /** One account as the services know it; every answer is held to the official schemas. */
  class Account {
    readonly #client: OnvifClient;
    constructor(client: OnvifClient) {
      this.#client = client;
    }

    async ask(prefix: ServicePrefix, operation: string, content = ""): Promise<Reply> {
      const reply = await this.#client.call(prefix, operation, qualified(prefix, content));
      expect(valid(reply.body), reply.body).to.deep.equal([]);
      return reply;
    }

    async done(prefix: ServicePrefix, operation: string, content = ""): Promise<Reply> {
      const reply = await this.ask(prefix, operation, content);
      expect(reply.fault, `${operation} ${content}`).to.equal(undefined);
      return reply;
    }

    async refusal(prefix: ServicePrefix, operation: string, content = ""): Promise<readonly string[]> {
      const { fault } = await this.ask(prefix, operation, content);
      return fault === undefined ? ["answered"] : [fault.code, ...fault.subcodes];
    }

    async make(name: string, ...parts: readonly string[]): Promise<string> {
      const reply = await this.done("tr2", "CreateProfile", element("Name", name) + parts.join(""));
      return texts(reply.element, "Token")[0] ?? "";
    }

    /** What is in a profile, by the names of version 2.0, each with its token. */
    async inside(token: string): Promise<Readonly<Record<string, string>>> {
      const [shown] = (await this.done("tr2", "GetProfiles", element("Token", token) + element("Type", "All"))).element
        .children;
      const configurations: readonly XmlElement[] = (shown && findPath(shown, "Configurations")?.children) ?? [];
      return Object.fromEntries(configurations.map((one) => [one.name, attributeOf(one, "token") ?? ""]));
    }

    async tokens(prefix: ServicePrefix, operation: string, content = ""): Promise<readonly string[]> {
      return (await this.done(prefix, operation, content)).element.children.map(
        (one) => attributeOf(one, "token") ?? "",
      );
    }

    async streamUri(token: string): Promise<string> {
      return (
        texts(
          (await this.done("tr2", "GetStreamUri", element("Protocol", "RTSP") + profile(token))).element,
          "Uri",
        )[0] ?? ""
      );
    }
  }

  const account = async (
    o: { grants?: readonly Grant[]; camera?: string; at?: OnvifEndpoint } = {},
  ): Promise<Account> => new Account(new OnvifClient(o.at ?? site, await site.account(o.grants), "token", o.camera));

  it("can be put together step by step in version 1.0, and is that in version 2.0", async () => {
    const vms = await account();
    const made = await vms.done("trt", "CreateProfile", element("Name", "VMS") + element("Token", "vms-1"));
    const [shown] = made.element.children;
    expect(shown && [attributeOf(shown, "token"), attributeOf(shown, "fixed"), shown.children.length]).to.deep.equal([
      "vms-1",
      "false",
      1,
    ]);
    for (const one of [...SETTABLE, "PTZ"])
      await vms.done("trt", `Add${one}Configuration`, profile("vms-1") + config("gate"));
    expect(await vms.inside("vms-1")).to.deep.equal({
      VideoSource: "gate",
      AudioSource: "gate",
      VideoEncoder: "gate",
      AudioEncoder: "gate",
      PTZ: "gate",
      Metadata: "gate",
    });
    const listed = (await vms.done("trt", "GetProfile", profile("vms-1"))).body;
    const own = (await vms.done("trt", "GetProfile", profile("gate"))).body;
    expect(listed.replaceAll("vms-1", "gate").replace("false", "true").replace(">VMS<", ">Gate<")).to.equal(own);
    for (const one of ["PTZ", "Metadata", "AudioEncoder", "AudioSource"])
      await vms.done("trt", `Remove${one}Configuration`, profile("vms-1"));
    expect(await vms.inside("vms-1")).to.deep.equal({ VideoSource: "gate", VideoEncoder: "gate" });
    await vms.done("trt", "DeleteProfile", profile("vms-1"));
    expect(await vms.refusal("trt", "GetProfile", profile("vms-1"))).to.deep.equal([
      "Sender",
      "InvalidArgVal",
      "NoProfile",
    ]);
  });

  it("can be made, named anew and emptied in one request each in version 2.0", async () => {
    const vms = await account();
    const token = await vms.make("Sub", part("VideoEncoder", "yard_sub"), part("VideoSource", "yard"));
    expect(await vms.inside(token)).to.deep.equal({ VideoSource: "yard", VideoEncoder: "yard_sub" });
    await vms.done("tr2", "AddConfiguration", profile(token) + element("Name", "Yard, small") + part("All"));
    expect(
      texts((await vms.done("tr2", "GetProfiles", element("Token", token))).element.children[0] as XmlElement, "Name"),
    ).to.deep.equal(["Yard, small"]);
    await vms.done("tr2", "RemoveConfiguration", profile(token) + part("All"));
    expect(await vms.inside(token)).to.deep.equal({});
    expect(await vms.refusal("tr2", "GetStreamUri", element("Protocol", "RTSP") + profile(token))).to.deep.equal([
      "Receiver",
      "Action",
      "IncompleteConfiguration",
    ]);
  });

  it("is given a token that no camera can have", async () => {
    expect(await (await account()).make("Any")).to.match(/^made\.[0-9a-f]{16}$/);
  });

  it("plays what is in it, and nothing else of the stream", async () => {
    const vms = await account();
    const source = part("VideoSource", "gate");
    const sound = part("AudioSource", "gate") + part("AudioEncoder", "gate");
    const cases: readonly (readonly [parts: string, query: string])[] = [
      [source + part("VideoEncoder", "gate"), "?tracks=video"],
      [sound, "?tracks=audio"],
      [source + part("VideoEncoder", "gate") + sound, "?tracks=video,audio"],
      [source + part("VideoEncoder", "gate") + sound + part("Metadata", "gate"), ""],
      [part("VideoSource", "old") + part("VideoEncoder", "old") + part("Metadata", "old"), ""],
    ];
    for (const [parts, query] of cases) {
      const camera = parts.includes("old") ? "old" : "gate";
      expect(await vms.streamUri(await vms.make("Some", parts)), parts).to.equal(
        `rtsp://127.0.0.1:8554/live/${camera}${query}`,
      );
    }
  });

  it("is asked for a key frame, a picture and moves as its camera", async () => {
    const vms = await account();
    const token = await vms.make(
      "Head",
      part("VideoSource", "gate"),
      part("VideoEncoder", "gate"),
      part("PTZ", "gate"),
    );
    await vms.done("trt", "SetSynchronizationPoint", profile(token));
    const [picture] = texts((await vms.done("tr2", "GetSnapshotUri", profile(token))).element, "Uri");
    expect(picture).to.match(/\/onvif\/snapshot\/gate$/);
    await vms.done("tptz", "ContinuousMove", `${profile(token)}<Velocity><tt:PanTilt x="0.5" y="0"/></Velocity>`);
    await vms.done("tr2", "RemoveConfiguration", profile(token) + part("PTZ"));
    expect((await vms.refusal("tptz", "GetStatus", profile(token))).at(-1)).to.equal("NoPTZProfile");
    expect(await vms.tokens("tptz", "GetCompatibleConfigurations", profile(token))).to.deep.equal(["gate"]);
  });

  it("can have what goes with what is in it, and that is what is told to be compatible", async () => {
    const vms = await account();
    const token = await vms.make("Empty");
    const fitting = (prefix: Media, one: string): Promise<readonly string[]> =>
      vms.tokens(
        prefix,
        prefix === "trt" ? `GetCompatible${one}Configurations` : `Get${one}Configurations`,
        profile(token),
      );
    for (const prefix of MEDIA) {
      expect(await fitting(prefix, "VideoSource")).to.deep.equal(["gate", "yard", "old", "odd_-1"]);
      expect(await fitting(prefix, "VideoEncoder")).to.deep.equal([]);
    }
    await vms.done("tr2", "AddConfiguration", profile(token) + part("VideoSource", "yard"));
    expect(await fitting("tr2", "VideoEncoder")).to.deep.equal(["yard", "yard_sub"]);
    await vms.done("tr2", "AddConfiguration", profile(token) + part("VideoEncoder", "yard_sub"));
    // Another source would go without this encoder alone.
    for (const prefix of MEDIA) expect(await fitting(prefix, "VideoSource")).to.deep.equal(["yard"]);
    expect(await fitting("tr2", "Metadata")).to.deep.equal(["yard_sub"]);
  });

  const conflicts: readonly (readonly [why: string, parts: readonly string[]])[] = [
    ["an encoder without its source", [part("VideoEncoder", "gate")]],
    ["sound without its source", [part("VideoSource", "gate"), part("AudioEncoder", "gate")]],
    ["metadata without a source", [part("Metadata", "gate")]],
    ["a head without a picture", [part("AudioSource", "gate"), part("PTZ", "gate")]],
    ["two cameras", [part("VideoSource", "gate"), part("AudioSource", "yard")]],
    [
      "two streams",
      [
        part("VideoSource", "yard"),
        part("VideoEncoder", "yard_sub"),
        part("AudioSource", "yard"),
        part("AudioEncoder", "yard"),
      ],
    ],
  ];
  for (const [why, parts] of conflicts)
    it(`cannot have ${why}`, async () => {
      const vms = await account();
      const content = element("Name", "Odd") + parts.join("");
      expect(await vms.refusal("tr2", "CreateProfile", content)).to.deep.equal([
        "Receiver",
        "Action",
        "ConfigurationConflict",
      ]);
      expect(await vms.tokens("trt", "GetProfiles")).not.to.include("Odd");
    });

  it("does not lose what the rest of it needs", async () => {
    const vms = await account();
    const token = await vms.make("Whole", part("VideoSource", "gate"), part("VideoEncoder", "gate"));
    expect((await vms.refusal("trt", "RemoveVideoSourceConfiguration", profile(token))).at(-1)).to.equal(
      "ConfigurationConflict",
    );
    expect(Object.keys(await vms.inside(token))).to.have.length(2);
  });

  it("leaves those of the streams as they are, for everybody", async () => {
    const vms = await account();
    const conflict = ["Receiver", "Action", "ConfigurationConflict"];
    expect(await vms.refusal("trt", "RemoveAudioEncoderConfiguration", profile("gate"))).to.deep.equal(conflict);
    expect(await vms.refusal("tr2", "RemoveConfiguration", profile("gate") + part("All"))).to.deep.equal(conflict);
    expect(await vms.refusal("tr2", "AddConfiguration", profile("gate") + element("Name", "Mine"))).to.deep.equal(
      conflict,
    );
    expect(await vms.refusal("trt", "AddVideoEncoderConfiguration", profile("old") + config("gate"))).to.deep.equal(
      conflict,
    );
    for (const [prefix, name] of [
      ["trt", "ProfileToken"],
      ["tr2", "Token"],
    ] as const)
      expect(await vms.refusal(prefix, "DeleteProfile", element(name, "gate"))).to.deep.equal([
        "Sender",
        "Action",
        "DeletionOfFixedProfile",
      ]);
    // What is there already may be added again.
    await vms.done("trt", "AddMetadataConfiguration", profile("gate") + config("gate"));
  });

  it("is its account's own, and one that does not exist for others", async () => {
    const [mine, yours] = [await account(), await account()];
    const token = await mine.make("Mine", part("VideoSource", "gate"), part("VideoEncoder", "gate"));
    expect(await mine.tokens("tr2", "GetProfiles")).to.include(token);
    expect(await yours.tokens("tr2", "GetProfiles")).not.to.include(token);
    const asked: readonly (readonly [ServicePrefix, operation: string, content: (token: string) => string])[] = [
      ["trt", "GetProfile", profile],
      ["tr2", "DeleteProfile", (one) => element("Token", one)],
      ["tr2", "AddConfiguration", (one) => profile(one) + element("Name", "Yours")],
      ["tr2", "GetStreamUri", (one) => element("Protocol", "RTSP") + profile(one)],
      ["trt", "GetStreamUri", (one) => setup("RTP-Unicast", "RTSP") + profile(one)],
      ["trt", "GetSnapshotUri", profile],
      ["tptz", "GetStatus", profile],
    ];
    for (const [prefix, operation, content] of asked) {
      const [other, none] = [
        await yours.ask(prefix, operation, content(token)),
        await yours.ask(prefix, operation, content("none")),
      ];
      expect([other.status, other.body], operation).to.deep.equal([none.status, none.body]);
      expect(other.fault?.subcodes, operation).to.deep.equal(["InvalidArgVal", "NoProfile"]);
    }
    expect(await mine.tokens("tr2", "GetProfiles")).to.include(token);
  });

  it("has nothing of a camera that its account does not see, which is answered as one that is not there", async () => {
    const vms = await account({ grants: [grant("live", ["gate"])] });
    const made = (token: string): Promise<Reply> =>
      vms.ask("tr2", "CreateProfile", element("Name", "Odd") + part("VideoSource", token));
    const [hidden, missing] = [await made("yard"), await made("nowhere")];
    expect(hidden.fault?.subcodes).to.deep.equal(["InvalidArgVal", "NoConfig"]);
    expect(hidden.body).to.equal(missing.body);
    expect(
      await vms.refusal("tr2", "CreateProfile", element("Name", "Odd") + part("AudioSource", "gate")),
    ).to.deep.equal(["Sender", "InvalidArgVal", "NoConfig"]);
    // A name that a hidden camera has is as free as any other.
    await vms.done("trt", "CreateProfile", element("Name", "Own") + element("Token", "yard"));
    expect(await vms.refusal("trt", "CreateProfile", element("Name", "Own") + element("Token", "gate"))).to.deep.equal([
      "Sender",
      "InvalidArgVal",
      "ProfileExists",
    ]);
  });

  it("loses what its account may no longer see, and has it again when it may", async () => {
    const login = await site.account([grant("live", "any"), grant("audio", "any")]);
    const vms = new Account(new OnvifClient(site, login, "token"));
    const token = await vms.make(
      "Gate",
      part("VideoSource", "gate"),
      part("VideoEncoder", "gate"),
      part("AudioSource", "gate"),
    );
    const { id } = site.accounts.list().find(({ name }) => name === login.name) ?? { id: "" };
    await site.accounts.change(id, { grants: [grant("live", ["gate"])] });
    expect(await vms.inside(token)).to.deep.equal({ VideoSource: "gate", VideoEncoder: "gate" });
    await site.accounts.change(id, { grants: [grant("live", ["old"])] });
    expect(await vms.inside(token)).to.deep.equal({});
    expect(await vms.tokens("tr2", "GetProfiles")).to.deep.equal(["old", token]);
    await site.accounts.change(id, { grants: [grant("live", "any"), grant("audio", "any")] });
    expect(Object.keys(await vms.inside(token))).to.have.length(3);
  });

  it("keeps what its account may not see now, whatever is changed of the rest", async () => {
    const login = await site.account([grant("live", "any"), grant("audio", "any")]);
    const vms = new Account(new OnvifClient(site, login, "token"));
    const { id } = site.accounts.list().find(({ name }) => name === login.name) ?? { id: "" };
    const mayOn = (cameras: readonly string[] | "any", ...rights: readonly CameraRight[]): Promise<unknown> =>
      site.accounts.change(id, { grants: rights.map((right) => grant(right, cameras)) });
    const kinds = async (token: string): Promise<readonly string[]> => {
      await mayOn("any", "live", "audio");
      return Object.keys(await vms.inside(token)).toSorted();
    };
    const rename = (token: string): Promise<Reply> =>
      vms.done("tr2", "AddConfiguration", profile(token) + element("Name", "Anew"));
    const picture = [part("VideoSource", "gate"), part("VideoEncoder", "gate")];
    const token = await vms.make("Gate", ...picture, part("AudioSource", "gate"), part("AudioEncoder", "gate"));
    const whole = ["AudioEncoder", "AudioSource", "VideoEncoder", "VideoSource"];

    await mayOn("any", "live");
    await rename(token);
    await vms.done("tr2", "RemoveConfiguration", profile(token) + part("VideoEncoder"));
    await vms.done("tr2", "AddConfiguration", profile(token) + part("VideoEncoder", "gate"));
    expect(await kinds(token)).to.deep.equal(whole);

    await mayOn(["old"], "live");
    await rename(token);
    expect(await kinds(token)).to.deep.equal(whole);

    await mayOn("any", "live");
    await vms.done("tr2", "RemoveConfiguration", profile(token) + part("AudioSource"));
    // The encoder of the sound is nothing without it.
    expect(await kinds(token)).to.deep.equal(["VideoEncoder", "VideoSource"]);

    await mayOn(["old"], "live");
    await vms.done("tr2", "RemoveConfiguration", profile(token) + part("VideoSource"));
    expect(await kinds(token)).to.deep.equal([]);

    await vms.done("tr2", "AddConfiguration", profile(token) + picture.join(""));
    await mayOn(["old"], "live");
    await vms.done("tr2", "AddConfiguration", profile(token) + part("VideoSource", "old"));
    // A profile is of one camera.
    expect(await kinds(token)).to.deep.equal(["VideoSource"]);
  });

  it("goes before the stream of a camera that has come later by its token, which is there again without it", async () => {
    const login = await site.account([grant("live", ["gate"])]);
    const vms = new Account(new OnvifClient(site, login, "token"));
    await vms.done("trt", "CreateProfile", element("Name", "Own") + element("Token", "yard"));
    await vms.done("trt", "AddVideoSourceConfiguration", profile("yard") + config("gate"));
    const { id } = site.accounts.list().find(({ name }) => name === login.name) ?? { id: "" };
    await site.accounts.change(id, { grants: [grant("live", "any")] });
    expect(await vms.inside("yard")).to.deep.equal({ VideoSource: "gate" });
    expect((await vms.tokens("trt", "GetProfiles")).filter((token) => token === "yard")).to.have.length(1);
    await vms.done("trt", "DeleteProfile", profile("yard"));
    expect(await vms.inside("yard")).to.include({ VideoSource: "yard", VideoEncoder: "yard" });
    expect(await vms.tokens("trt", "GetProfiles")).to.include("yard");
  });

  it("is of the device where it was made", async () => {
    const login = await site.account();
    const [whole, single, other] = [undefined, "gate", "yard"].map(
      (camera) => new Account(new OnvifClient(site, login, "token", camera)),
    ) as [Account, Account, Account];
    const token = await single.make("Gate", part("VideoSource", "gate"));
    expect(await single.tokens("tr2", "GetProfiles")).to.deep.equal(["gate", token]);
    for (const elsewhere of [whole, other]) expect(await elsewhere.tokens("tr2", "GetProfiles")).not.to.include(token);
    expect(
      (await single.refusal("tr2", "AddConfiguration", profile(token) + part("VideoSource", "yard"))).at(-1),
    ).to.equal("NoConfig");
  });

  it("is one of 64 at most", async () => {
    const vms = await account();
    for (let count = 0; count < 64; count += 1) await vms.make("One more");
    expect(await vms.refusal("tr2", "CreateProfile", element("Name", "Too many"))).to.deep.equal([
      "Receiver",
      "Action",
      "MaxNVTProfiles",
    ]);
    await vms.done("tr2", "DeleteProfile", element("Token", (await vms.tokens("tr2", "GetProfiles")).at(-1) ?? ""));
    await vms.make("Again");
    await (await account()).make("Another's");
  });

  it("has no kind of part that is not served", async () => {
    const vms = await account();
    for (const wish of [part("Analytics", "gate"), part("VideoSource"), part("nonsense", "gate")])
      expect((await vms.refusal("tr2", "CreateProfile", element("Name", "Odd") + wish)).at(-1), wish).to.equal(
        "NoConfig",
      );
    for (const token of ["a b", "x/../y", "ä"])
      expect(
        await vms.refusal("trt", "CreateProfile", element("Name", "Odd") + element("Token", token)),
        token,
      ).to.deep.equal(["Sender", "InvalidArgVal"]);
  });
});

describe("what a client sets of a head, and of replay", () => {
  let site: OnvifTestSite;
  let client: OnvifClient;
  before(async () => {
    site = await startOnvifSite();
    client = new OnvifClient(site, await site.account(), "token");
  });
  after(() => site.close());

  const cases: readonly (readonly [what: string, change: (xml: string) => string, refused: boolean])[] = [
    ["can be what was read", (xml) => xml, false],
    ["cannot be another speed", (xml) => xml.replace('<tt:PanTilt x="0.5"', '<tt:PanTilt x="1"'), true],
    ["cannot be another time-out", (xml) => xml.replace(">PT5S<", ">PT9S<"), true],
    ["cannot be another node", (xml) => xml.replace("NodeToken>gate", "NodeToken>yard"), true],
  ];
  for (const [what, change, refused] of cases)
    it(`${what}: tptz`, async () => {
      const read = written(await client.call("tptz", "GetConfigurations"), "tptz", "gate");
      const wish = change(read);
      expect(wish === read).to.equal(!refused);
      const { fault } = await client.call("tptz", "SetConfiguration", wish);
      expect(fault?.subcodes).to.deep.equal(refused ? ["InvalidArgVal", "ConfigModify"] : undefined);
    });

  for (const [timeout, subcodes] of [
    ["PT60S", undefined],
    ["PT30S", ["InvalidArgVal", "ConfigModify"]],
  ] as const)
    it(`takes a session timeout of replay of ${timeout}: ${subcodes === undefined}`, async () => {
      const content = `<trp:Configuration><tt:SessionTimeout>${timeout}</tt:SessionTimeout></trp:Configuration>`;
      const { fault } = await client.call("trp", "SetReplayConfiguration", content);
      expect(fault?.subcodes).to.deep.equal(subcodes);
    });
});

describe("what a client sets of a stream", () => {
  let site: OnvifTestSite;
  let client: OnvifClient;
  before(async () => {
    site = await startOnvifSite();
    client = new OnvifClient(site, await site.account(), "token");
  });
  after(() => site.close());

  const set = async (prefix: Media, one: string, change: (xml: string) => string): Promise<readonly string[]> => {
    const read = written(await client.call(prefix, `Get${one}Configurations`), prefix, "gate");
    const wish = change(read);
    const { fault } = await client.call(prefix, `Set${one}Configuration`, wish);
    return fault === undefined ? [] : [fault.code, ...fault.subcodes, fault.reason.split(" ")[0] ?? ""];
  };

  for (const prefix of MEDIA) {
    for (const one of SETTABLE)
      it(`can be what was read: ${prefix} ${one}`, async () => {
        expect(await set(prefix, one, (xml) => xml)).to.deep.equal([]);
      });

    const adapted: readonly (readonly [what: string, one: string, change: (xml: string) => string])[] = [
      ["name", "VideoSource", (xml) => xml.replace("<tt:Name>Gate", "<tt:Name>Door")],
      ["quality", "VideoEncoder", (xml) => xml.replace(/<tt:Quality>.*?</, "<tt:Quality>5<")],
      ["bit rate", "VideoEncoder", (xml) => xml.replace(/<tt:BitrateLimit>.*?</, "<tt:BitrateLimit>4096<")],
      ["frame rate", "VideoEncoder", (xml) => xml.replace(/<tt:FrameRateLimit>.*?</, "<tt:FrameRateLimit>25<")],
      ["bounds", "VideoSource", (xml) => xml.replace('width="1920"', 'width="640"')],
      ["use count", "AudioSource", (xml) => xml.replace(/<tt:UseCount>.*?</, "<tt:UseCount>9<")],
      ["session timeout", "Metadata", (xml) => xml.replace("PT60S", "PT5M")],
      [
        "an empty extension",
        "VideoSource",
        (xml) => xml.replace(/<\/(tr[t2]):Configuration>/, "<tt:Extension/></$1:Configuration>"),
      ],
      [
        "no movements",
        "Metadata",
        (xml) =>
          xml.replace(
            "<tt:Events/>",
            "<tt:PTZStatus><tt:Status>false</tt:Status><tt:Position>false</tt:Position></tt:PTZStatus><tt:Events/>",
          ),
      ],
      ["nothing of events", "Metadata", (xml) => xml.replace("<tt:Events/>", "")],
    ];
    for (const [what, one, change] of adapted)
      it(`may be adapted, and is: ${prefix} ${what}`, async () => {
        const before = (await client.call(prefix, `Get${one}Configurations`)).body;
        expect(await set(prefix, one, change)).to.deep.equal([]);
        expect((await client.call(prefix, `Get${one}Configurations`)).body).to.equal(before);
      });

    const refused: readonly (readonly [what: string, one: string, change: (xml: string) => string])[] = [
      ["SourceToken", "VideoSource", (xml) => xml.replace(">gate<", ">yard<")],
      [
        "Extension",
        "VideoSource",
        (xml) =>
          xml.replace(
            /<\/(tr[t2]):Configuration>/,
            "<tt:Extension><tt:Rotate><tt:Mode>ON</tt:Mode></tt:Rotate></tt:Extension></$1:Configuration>",
          ),
      ],
      ["Encoding", "VideoEncoder", (xml) => xml.replace(">H264<", ">JPEG<")],
      ["Resolution", "VideoEncoder", (xml) => xml.replace(">1920<", ">640<")],
      ["SampleRate", "AudioEncoder", (xml) => xml.replace("SampleRate>8<", "SampleRate>16<")],
      ["Analytics", "Metadata", (xml) => xml.replace(">false<", ">true<")],
      ["Multicast", "Metadata", (xml) => xml.replace(">0.0.0.0<", ">239.0.0.1<")],
      [
        "PTZStatus",
        "Metadata",
        (xml) =>
          xml.replace(
            "<tt:Events/>",
            "<tt:PTZStatus><tt:Status>true</tt:Status><tt:Position>false</tt:Position></tt:PTZStatus><tt:Events/>",
          ),
      ],
      [
        "Events",
        "Metadata",
        (xml) =>
          xml.replace(
            "<tt:Events/>",
            '<tt:Events><tt:Filter><wsnt:TopicExpression Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:VideoSource//.</wsnt:TopicExpression></tt:Filter></tt:Events>',
          ),
      ],
    ];
    for (const [what, one, change] of refused)
      it(`cannot be otherwise, and it is said what: ${prefix} ${what}`, async () => {
        expect(await set(prefix, one, change)).to.deep.equal(["Sender", "InvalidArgVal", "ConfigModify", what]);
      });

    it(`is of a camera that is hidden as of one that is not there: ${prefix}`, async () => {
      const watcher = new OnvifClient(site, await site.account([grant("live", ["gate"])]), "token");
      const xml = written(await client.call(prefix, "GetVideoEncoderConfigurations"), prefix, "gate");
      const of = (token: string): Promise<Reply> =>
        watcher.call(prefix, "SetVideoEncoderConfiguration", xml.replace('token="gate"', `token="${token}"`));
      const [hidden, missing] = [await of("odd_-1"), await of("nowhere")];
      expect(hidden.fault?.subcodes).to.deep.equal(["InvalidArgVal", "NoConfig"]);
      expect([hidden.status, hidden.body]).to.deep.equal([missing.status, missing.body]);
    });

    it(`needs the right to watch it: ${prefix}`, async () => {
      const player = new OnvifClient(site, await site.account([grant("playback", ["gate"])]), "token");
      const xml = written(await client.call(prefix, "GetVideoEncoderConfigurations"), prefix, "gate");
      expect((await player.call(prefix, "SetVideoEncoderConfiguration", xml)).fault?.subcodes).to.deep.equal([
        "NotAuthorized",
      ]);
    });
  }
});
