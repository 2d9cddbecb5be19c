import { expect } from "chai";
import type { Grant } from "../../../auth/principal.ts";
import { CAMERA_RIGHTS, type CameraRight } from "../../../auth/right.ts";
import { HOUR, unixMillis } from "../../../base/units.ts";
import type { BridgedCamera, CameraDirectory, CameraInfo } from "../../../bridge/camera.ts";
import { type Controls, NO_CONTROLS } from "../../../bridge/camera-control.ts";
import { parseGroupRange } from "../../../net/multicast.ts";
import { fakeCameras } from "../../support/onvif-cameras.ts";
import { OnvifClient, type ServicePrefix } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

/** All that says what a camera has. */
const ASKED: readonly (readonly [ServicePrefix, operation: string, content?: string])[] = [
  ["trt", "GetProfiles"],
  ["trt", "GetVideoEncoderConfigurations"],
  ["trt", "GetAudioEncoderConfigurations"],
  ["trt", "GetMetadataConfigurations"],
  ["tr2", "GetProfiles", "<tr2:Type>All</tr2:Type>"],
  ["tr2", "GetVideoEncoderConfigurations"],
  ["tr2", "GetAudioEncoderConfigurations"],
  ["tptz", "GetConfigurations"],
  ["tds", "GetRelayOutputs"],
  ["timg", "GetImagingSettings", "<timg:VideoSourceToken>gate</timg:VideoSourceToken>"],
  ["trt", "GetSnapshotUri", "<trt:ProfileToken>gate</trt:ProfileToken>"],
];

/** The first of the cameras, which a test may change at any time, alone. */
interface Changing {
  readonly directory: CameraDirectory;
  readonly change: (to: { readonly info?: Partial<CameraInfo>; readonly controls?: Controls }) => void;
  readonly info: CameraInfo;
  readonly controls: Controls;
}

function changing(clock: VirtualClock): Changing {
  const [first] = fakeCameras(clock.now()).list();
  if (first === undefined) throw new Error("there is no camera");
  let { info } = first;
  let { controls } = first.control;
  const camera: BridgedCamera = {
    ...first,
    get info() {
      return info;
    },
    control: {
      ...first.control,
      get controls() {
        return controls;
      },
    },
  };
  return {
    directory: { list: () => [camera], find: (id) => (id === info.id ? camera : undefined) },
    change(to) {
      info = { ...info, ...to.info };
      controls = to.controls ?? controls;
    },
    get info() {
      return info;
    },
    get controls() {
      return controls;
    },
  };
}

const grants = (...rights: readonly CameraRight[]): readonly Grant[] =>
  rights.map((right) => ({ right, cameras: "any", interfaces: "any" }));
const EVERYTHING = Object.keys(CAMERA_RIGHTS) as CameraRight[];
const without = (...rights: readonly CameraRight[]): readonly CameraRight[] =>
  EVERYTHING.filter((one) => !rights.includes(one));

const SOUND = />(?:G711|PCMU)</;

/** [rights, what is told by each of them alone]. */
const TOLD: readonly (readonly [CameraRight[], RegExp])[] = [
  [["audio"], SOUND],
  [["metadata"], /<tt:Analytics>/],
  [["ptz", "presets"], /<tt:NodeToken>/],
  [["relay"], /<tt:DelayTime>/],
  [["imaging"], /<timg:ImagingSettings>/],
  [["snapshot"], /GetSnapshotUriResponse/],
];

/** [what changes, how, what was told before and is not any more, what is told instead]. */
const CHANGES: readonly (readonly [string, (camera: Changing) => void, before: RegExp, after: RegExp])[] = [
  ["its name", ({ change }) => change({ info: { name: "Way in" } }), />Gate</, />Way in</],
  [
    "its codec",
    ({ info, change }) => {
      const [main] = info.streams;
      const tracks = main.tracks.map((track) =>
        track.kind === "video" ? ({ ...track, codec: "JPEG", encoding: "JPEG", fmtp: "" } as const) : track,
      );
      change({ info: { streams: [{ ...main, tracks }] } });
    },
    />H264</,
    />JPEG</,
  ],
  [
    "a stream more",
    ({ info, change }) => {
      const [main] = info.streams;
      change({ info: { streams: [main, { ...main, name: "sub", number: 2 }] } });
    },
    /VideoSourceConfiguration token="gate"><tt:Name>Gate<\/tt:Name><tt:UseCount>1</,
    /token="gate_sub"/,
  ],
  [
    "the number of its stream, and so its group",
    ({ info, change }) => change({ info: { streams: [{ ...info.streams[0], number: 7 }] } }),
    />239\.1\.1\.0</,
    />239\.1\.1\.6</,
  ],
  [
    "how it can be moved",
    ({ controls, change }) => {
      const { ptz } = controls;
      if (ptz === undefined) throw new Error("it cannot be moved");
      const configuration = { ...ptz.configuration, DefaultPTZTimeout: 9000 };
      change({ controls: { ...controls, ptz: { ...ptz, configuration } } });
    },
    /PTZTimeout>PT5S/,
    /PTZTimeout>PT9S/,
  ],
  [
    "that it cannot be moved any more",
    ({ change }) => change({ controls: NO_CONTROLS }),
    /PTZConfiguration/,
    /Profiles/,
  ],
];

describe("a camera that was shown before", () => {
  let clock: VirtualClock;
  let camera: Changing;
  let site: OnvifTestSite;
  beforeEach(async () => {
    clock = new VirtualClock();
    camera = changing(clock);
    const groups = parseGroupRange("239.1.1.0/24") ?? { first: 0, count: 0 };
    site = await startOnvifSite({ clock, cameras: camera.directory, multicast: { groups, port: 20_000, ttl: 1 } });
  });
  afterEach(() => site.close());

  const told = async (client: OnvifClient): Promise<string> => {
    const answers = [];
    for (const request of ASKED) answers.push((await client.call(...request)).body);
    return answers.join("\n");
  };

  for (const [what, change, before, after] of CHANGES)
    it(`is shown at once as it is after a change: ${what}`, async () => {
      const client = new OnvifClient(site, await site.account(grants(...EVERYTHING)));
      const first = await told(client);
      expect(await told(client)).to.equal(first);
      expect(first).to.match(before);
      change(camera);
      const second = await told(client);
      expect(second).to.match(after);
      expect(second).not.to.match(before);
    });

  it("is shown to each account as far as that may know of it, whoever asked before", async () => {
    const all = new OnvifClient(site, await site.account(grants(...EVERYTHING)));
    for (const [rights, word] of TOLD) {
      const less = new OnvifClient(site, await site.account(grants(...without(...rights))));
      expect(await told(all), String(rights)).to.match(word);
      expect(await told(less), String(rights)).not.to.match(word);
      expect(await told(all), String(rights)).to.match(word);
    }
  });

  for (const [rights, word] of TOLD)
    it(`is shown whole to who may know it, where somebody without ${rights.join(" and ")} asked before`, async () => {
      const less = new OnvifClient(site, await site.account(grants(...without(...rights))));
      const all = new OnvifClient(site, await site.account(grants(...EVERYTHING)));
      expect(await told(less)).not.to.match(word);
      expect(await told(all)).to.match(word);
      expect(await told(less)).not.to.match(word);
    });

  it("is shown at once with other rights when those of the account change", async () => {
    const login = await site.account(grants(...EVERYTHING));
    const client = new OnvifClient(site, login);
    expect(await told(client)).to.match(SOUND);
    const id = site.accounts.list().find(({ name }) => name === login.name)?.id ?? "";
    await site.accounts.change(id, { grants: grants(...without("audio")) });
    expect(await told(client)).not.to.match(SOUND);
    await site.accounts.change(id, { grants: [] });
    expect(await told(client)).not.to.match(/Gate/);
  });

  it("is shown without what a right was for when its time is over", async () => {
    const until = unixMillis(clock.now() + HOUR);
    const [audio] = grants("audio");
    if (audio === undefined) throw new Error("no grant");
    const client = new OnvifClient(site, await site.account([...grants("live"), { ...audio, until }]));
    expect(await told(client)).to.match(SOUND);
    await clock.advance(HOUR);
    expect(await told(client)).not.to.match(SOUND);
  });
});
