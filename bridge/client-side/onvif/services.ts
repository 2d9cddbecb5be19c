import type { Clock } from "../../../base/clock.ts";
import type { Service } from "../../../onvif/server/service.ts";
import type { Complex, Xml } from "../../../wsdl/schema.ts";
import { serialize } from "../../../wsdl/serialize.ts";
import { DeviceServiceCapabilities } from "../../../wsdl/tables/tds.ts";
import { Capabilities as EventCapabilities } from "../../../wsdl/tables/tev.ts";
import { Capabilities as ImagingCapabilities } from "../../../wsdl/tables/timg.ts";
import { Capabilities as DeviceIoCapabilities } from "../../../wsdl/tables/tmd.ts";
import { Capabilities as PtzCapabilities } from "../../../wsdl/tables/tptz.ts";
import { Capabilities2 } from "../../../wsdl/tables/tr2.ts";
import { Capabilities as RecordingCapabilities } from "../../../wsdl/tables/trc.ts";
import { Capabilities as ReplayCapabilities } from "../../../wsdl/tables/trp.ts";
import { Capabilities as MediaCapabilities } from "../../../wsdl/tables/trt.ts";
import { Capabilities as SearchCapabilities } from "../../../wsdl/tables/tse.ts";
import type { EventBus } from "../../event-bus.ts";
import { type Announced, deviceCapabilities, deviceService } from "./device.ts";
import { DEVICE_IO_CAPABILITIES, deviceIoServices } from "./device-io.ts";
import { eventCapabilities, eventServices } from "./events.ts";
import { IMAGING_CAPABILITIES, imagingService } from "./imaging.ts";
import { mediaCapabilities, mediaService } from "./media.ts";
import { media2Capabilities, media2Service } from "./media2.ts";
import type { NotificationOptions } from "./notifications.ts";
import { PTZ_CAPABILITIES, ptzService } from "./ptz.ts";
import { RECORDING_CAPABILITIES, recordingService } from "./recording.ts";
import { REPLAY_CAPABILITIES, replayService } from "./replay.ts";
import { SEARCH_CAPABILITIES, searchService } from "./search.ts";
import type { SearchSessions } from "./search-sessions.ts";
import type { OnvifSite } from "./site.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** All ONVIF services of the product, for {@link OnvifServer}. They hold nothing of their own. What is served is announced, and nothing else is. */
export function onvifServices(o: {
  readonly site: OnvifSite;
  readonly bus: EventBus;
  readonly subscriptions: Subscriptions;
  readonly searches: SearchSessions;
  /** Absent: events are sent to nobody. */
  readonly notifications?: NotificationOptions | undefined;
  /** A device of this camera alone: `site` has no other. */
  readonly camera?: string;
  readonly clock: Clock;
}): readonly Service[] {
  const { site, bus, subscriptions, searches, notifications, camera, clock } = o;
  const announced: Announced[] = [];
  const announce = <T>(service: Service, release: readonly [number, number], type: Complex<T>, value: T): Service => {
    const { path, table } = service;
    const capabilities = (): Xml => serialize(table.prefix, "Capabilities", type, value);
    const [Major, Minor] = release;
    announced.push({ namespace: table.namespace, path, version: { Major, Minor }, capabilities });
    return service;
  };
  const device = deviceService({ site, clock, services: () => announced });
  const [events, ...besides] = eventServices({ site, bus, subscriptions, notifications, camera, clock });
  const [deviceIo, relays] = deviceIoServices(site);
  return [
    announce(device, [26, 6], DeviceServiceCapabilities, deviceCapabilities(site)),
    announce(mediaService(site), [21, 6], MediaCapabilities, mediaCapabilities(site)),
    announce(media2Service(site), [26, 6], Capabilities2, media2Capabilities(site)),
    announce(events, [24, 12], EventCapabilities, eventCapabilities(notifications !== undefined)),
    ...besides,
    announce(recordingService(site), [26, 6], RecordingCapabilities, RECORDING_CAPABILITIES),
    announce(searchService(site, searches, clock), [2, 42], SearchCapabilities, SEARCH_CAPABILITIES),
    announce(replayService(site), [21, 6], ReplayCapabilities, REPLAY_CAPABILITIES),
    announce(ptzService(site), [26, 6], PtzCapabilities, PTZ_CAPABILITIES),
    announce(imagingService(site), [19, 6], ImagingCapabilities, IMAGING_CAPABILITIES),
    announce(deviceIo, [21, 6], DeviceIoCapabilities, DEVICE_IO_CAPABILITIES),
    relays,
  ];
}
