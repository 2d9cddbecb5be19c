import type { Principal } from "../../../auth/principal.ts";
import { type Handlers, type KnownCall, type Service, serve } from "../../../onvif/server/service.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { DEVICE_IO, DEVICE_IO_RELAYS } from "../../../wsdl/tables/tmd.ts";
import { have } from "./media-parts.ts";
import type { OnvifCamera, OnvifSite } from "./site.ts";
import { findCamera, missing, type View, views } from "./view.ts";

type Capabilities = ResponseOf<(typeof DEVICE_IO)["operations"]["GetServiceCapabilities"]>["Capabilities"];

/** Said to everybody, so it tells no numbers of what is behind the bridge. */
export const DEVICE_IO_CAPABILITIES: Capabilities = { DigitalInputOptions: false };

/** Relays and inputs of all cameras stand side by side: their tokens begin with the camera's. */
const tokenOf = (camera: OnvifCamera, token: string): string => `${camera.id}_${token}`;

/** Answers about relays, at the device service and at the device I/O service. */
export function relayHandlers(site: OnvifSite): Handlers<typeof DEVICE_IO_RELAYS> {
  const cameraOf = (who: Principal, token: string): { readonly camera: OnvifCamera; readonly relay: string } => {
    const [, id = "", relay = ""] = /^(.*)_([^_]*)$/.exec(token) ?? [];
    return { camera: findCamera(site, who, id, "RelayToken"), relay };
  };
  return {
    GetRelayOutputs: (_, { who }) => ({
      RelayOutputs: site
        .cameras(who)
        .flatMap((camera) =>
          camera.controls.relays.map((relay) => ({ ...relay, token: tokenOf(camera, relay.token) })),
        ),
    }),
    SetRelayOutputState: {
      needs: "relay",
      camera: ({ RelayOutputToken }, { who }) => cameraOf(who, RelayOutputToken).camera.id,
      async run({ RelayOutputToken, LogicalState }, { who }) {
        const { camera, relay } = cameraOf(who, RelayOutputToken);
        if (!camera.controls.relays.some(({ token }) => token === relay)) throw missing("RelayToken");
        await site.control(who, camera.id).setRelay(relay, LogicalState);
        return {};
      },
    },
  };
}

/** The device I/O service: sources of pictures and sound, relays, and inputs, of all cameras that the caller may see. */
export function deviceIoServices(site: OnvifSite): readonly [Service, Service] {
  const sources = (who: Principal, has: (view: View) => unknown): { readonly Token: readonly string[] } => ({
    Token: have(views(site, who), (view) => (has(view) === undefined ? undefined : view.source)).map(
      ({ token }) => token,
    ),
  });
  const path = "deviceio_service";
  const own = serve(path, DEVICE_IO, {
    GetServiceCapabilities: () => ({ Capabilities: DEVICE_IO_CAPABILITIES }),
    GetVideoSources: (_, { who }) => sources(who, ({ video }) => video),
    GetAudioSources: (_, { who }) => sources(who, ({ audio }) => audio),
    GetAudioOutputs: () => ({ Token: [] }),
    GetVideoOutputs: () => ({ VideoOutputs: [] }),
    GetSerialPorts: () => ({ SerialPort: [] }),
    GetDigitalInputs: (_, { who }: KnownCall) => ({
      DigitalInputs: site
        .cameras(who)
        .flatMap((camera) =>
          camera.controls.inputs.map((input) => ({ ...input, token: tokenOf(camera, input.token) })),
        ),
    }),
  });
  return [own, serve(path, DEVICE_IO_RELAYS, relayHandlers(site))];
}
