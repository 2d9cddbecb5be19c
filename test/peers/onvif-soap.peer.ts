import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Client, createClientAsync, type IOptions, WSSecurity } from "soap";
import { systemClock } from "../../base/clock.ts";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import { officialFolder } from "../support/official-schemas.ts";
import { CAMERAS, PROFILES } from "../support/onvif-cameras.ts";
import { PATHS, type ServicePrefix } from "../support/onvif-client.ts";
import { type OnvifLogin, type OnvifTestSite, startOnvifSite } from "../support/onvif-site.ts";

/** File and binding of each service. */
const FILES: Readonly<Record<ServicePrefix, readonly [file: string, binding: string]>> = {
  tds: ["ver10/device/wsdl/devicemgmt.wsdl", "DeviceBinding"],
  trt: ["ver10/media/wsdl/media.wsdl", "MediaBinding"],
  tr2: ["ver20/media/wsdl/media.wsdl", "Media2Binding"],
  tev: ["ver10/events/wsdl/event.wsdl", "EventBinding"],
  trc: ["ver10/recording.wsdl", "RecordingBinding"],
  tse: ["ver10/search.wsdl", "SearchBinding"],
  trp: ["ver10/replay.wsdl", "ReplayBinding"],
  tptz: ["ver20/ptz/wsdl/ptz.wsdl", "PTZBinding"],
  timg: ["ver20/imaging/wsdl/imaging.wsdl", "ImagingBinding"],
  tmd: ["ver10/deviceio.wsdl", "DeviceIOBinding"],
};
const SETUP = { Stream: "RTP-Unicast", Transport: { Protocol: "RTSP" } };
const IDS = CAMERAS.map(({ id }) => id);

type Item = Readonly<{ [name: string]: unknown }>;

describe("npm's soap with the official WSDL files as a client of ours", () => {
  let official: string;
  let folder: string;
  let site: OnvifTestSite;
  let login: OnvifLogin;

  before(async function () {
    official = officialFolder(this);
    folder = await mkdtemp(join(tmpdir(), "viaduct-soap-"));
    site = await startOnvifSite({ clock: systemClock });
    login = await site.account();
  });
  after(async () => {
    await site?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** The official files name no service: ours does, and takes the rest from them. */
  async function clientOf(prefix: ServicePrefix, secret?: string): Promise<Client> {
    const [path, binding] = FILES[prefix];
    const address = `http://127.0.0.1:${site.port}/onvif/${PATHS[prefix]}`;
    const file = join(folder, `${prefix}.wsdl`);
    await writeFile(
      file,
      `<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="${NAMESPACES[prefix]}" targetNamespace="${NAMESPACES[prefix]}">
        <import namespace="${NAMESPACES[prefix]}" location="http://www.onvif.org/${path}"/>
        <service name="Service"><port name="Port" binding="t:${binding}">
          <address xmlns="http://schemas.xmlsoap.org/wsdl/soap12/" location="${address}"/>
        </port></service>
      </definitions>`,
    );
    const options: IOptions & { readonly wsdl_options: object } = {
      disableCache: true,
      forceSoap12Headers: true,
      wsdl_options: {
        // Every file is in the folder; `parent` is where it was asked for.
        overrideImportLocation: (location: string, parent: string, written: string) => {
          if (location.startsWith(official)) return location;
          const url = /^https?:/.test(written) ? written : new URL(written, parent).href;
          return join(official, url.replace(/^https?:\/\//, ""));
        },
      },
    };
    const client = await createClientAsync(file, options, address);
    if (secret !== undefined)
      client.setSecurity(
        new WSSecurity(login.name, secret, { passwordType: "PasswordDigest", hasNonce: true, hasTimeStamp: true }),
      );
    return client;
  }

  async function call(
    prefix: ServicePrefix,
    operation: string,
    args: object = {},
    secret = login.secret,
  ): Promise<Item> {
    const client = await clientOf(prefix, secret);
    const [answer] = await (client[`${operation}Async`] as (of: object) => Promise<[Item]>)(args);
    return answer;
  }
  const tokens = (of: unknown): readonly unknown[] =>
    (of as readonly { readonly attributes: { readonly token: string } }[]).map(({ attributes }) => attributes.token);

  it("reads without logging in what is for everybody", async () => {
    const client = await clientOf("tds");
    const [answer] = await client["GetSystemDateAndTimeAsync"]({});
    expect(answer.SystemDateAndTime.DateTimeType).to.equal("NTP");
  });

  it("logs in by UsernameToken and gets to the streams", async () => {
    const about = await call("tds", "GetDeviceInformation");
    expect(about).to.include({ Manufacturer: "Viaduct", FirmwareVersion: "1.2.3" });
    expect(tokens((await call("trt", "GetProfiles"))["Profiles"])).to.deep.equal(PROFILES);
    expect(tokens((await call("tr2", "GetProfiles", { Type: "All" }))["Profiles"])).to.deep.equal(PROFILES);
    const first = await call("trt", "GetStreamUri", { StreamSetup: SETUP, ProfileToken: "gate" });
    expect(first).to.have.nested.property("MediaUri.Uri", "rtsp://127.0.0.1:8554/live/gate");
    const second = await call("tr2", "GetStreamUri", { Protocol: "RtspsUnicast", ProfileToken: "gate" });
    expect(second).to.have.property("Uri", "rtsps://127.0.0.1:8322/live/gate");
  });

  it("logs in by UsernameToken and gets to the recordings", async () => {
    const { RecordingItem } = await call("trc", "GetRecordings");
    expect((RecordingItem as readonly Item[]).map(({ RecordingToken }) => RecordingToken)).to.deep.equal(IDS);
    const { SearchToken } = await call("tse", "FindRecordings", { Scope: {}, KeepAliveTime: "PT30S" });
    const results = await call("tse", "GetRecordingSearchResults", { SearchToken });
    expect(results).to.have.nested.property("ResultList.RecordingInformation").with.length(IDS.length);
    const replay = await call("trp", "GetReplayUri", { StreamSetup: SETUP, RecordingToken: "gate" });
    expect(replay).to.have.property("Uri", "rtsp://127.0.0.1:8554/recorded/gate");
  });

  it("is refused with a wrong secret", async () => {
    const outcome = await call("tds", "GetDeviceInformation", {}, "wrong").then(
      () => "let in",
      (error: Error) => error.message,
    );
    expect(outcome).to.include("wrong name or password");
  });
});
