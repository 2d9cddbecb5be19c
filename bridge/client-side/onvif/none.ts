import type { Handlers } from "../../../onvif/server/service.ts";
import type { MEDIA2 } from "../../../wsdl/tables/tr2.ts";
import type { MEDIA } from "../../../wsdl/tables/trt.ts";
import { findProfile } from "./profiles.ts";
import type { OnvifSite } from "./site.ts";
import { find, missing } from "./view.ts";

// What a bridge has none of: on-screen display and masks are the cameras', sound goes out by the back channel, and analytics is not served.
// Clients that go through all lists get empty ones; a token of something that is not there is answered as anywhere.

type Of = Parameters<typeof find>[1];
type List = Readonly<{ Configurations: readonly never[] }>;

const noConfigurations = (): List => ({ Configurations: [] });

/** A video source configuration that is named has to be there. */
function assertSource(site: OnvifSite, who: Of, token: string | undefined): void {
  if (token !== undefined && find(site, who, token, "NoConfig").source.token !== token) throw missing("NoConfig");
}

type None =
  | "GetOSDs"
  | "GetAudioOutputs"
  | "GetAudioOutputConfigurations"
  | "GetAudioDecoderConfigurations"
  | "GetVideoAnalyticsConfigurations"
  | "GetCompatibleAudioOutputConfigurations"
  | "GetCompatibleAudioDecoderConfigurations"
  | "GetCompatibleVideoAnalyticsConfigurations";

export function noneOfMedia(site: OnvifSite): Pick<Handlers<typeof MEDIA>, None> {
  const ofProfile = ({ ProfileToken }: { readonly ProfileToken: string }, { who }: { readonly who: Of }): List => {
    findProfile(site, who, ProfileToken);
    return noConfigurations();
  };
  return {
    GetOSDs({ ConfigurationToken }, { who }) {
      assertSource(site, who, ConfigurationToken);
      return { OSDs: [] };
    },
    GetAudioOutputs: () => ({ AudioOutputs: [] }),
    GetAudioOutputConfigurations: noConfigurations,
    GetAudioDecoderConfigurations: noConfigurations,
    GetVideoAnalyticsConfigurations: noConfigurations,
    GetCompatibleAudioOutputConfigurations: ofProfile,
    GetCompatibleAudioDecoderConfigurations: ofProfile,
    GetCompatibleVideoAnalyticsConfigurations: ofProfile,
  };
}

type None2 =
  | "GetOSDs"
  | "GetMasks"
  | "GetAnalyticsConfigurations"
  | "GetAudioOutputConfigurations"
  | "GetAudioDecoderConfigurations";

export function noneOfMedia2(site: OnvifSite): Pick<Handlers<typeof MEDIA2>, None2> {
  const none = (
    {
      ConfigurationToken,
      ProfileToken,
    }: { ConfigurationToken?: string | undefined; ProfileToken?: string | undefined },
    { who }: { readonly who: Of },
  ): List => {
    if (ProfileToken !== undefined) findProfile(site, who, ProfileToken);
    if (ConfigurationToken !== undefined) throw missing("NoConfig");
    return noConfigurations();
  };
  return {
    GetOSDs({ OSDToken, ConfigurationToken }, { who }) {
      if (OSDToken !== undefined) throw missing("NoConfig");
      assertSource(site, who, ConfigurationToken);
      return { OSDs: [] };
    },
    GetMasks({ Token, ConfigurationToken }, { who }) {
      if (Token !== undefined) throw missing("NoConfig");
      assertSource(site, who, ConfigurationToken);
      return { Masks: [] };
    },
    GetAnalyticsConfigurations: none,
    GetAudioOutputConfigurations: none,
    GetAudioDecoderConfigurations: none,
  };
}
