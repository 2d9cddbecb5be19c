import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { type FakeControl, fakeControl } from "../support/fake-control.ts";
import { type OnvifLogin, type OnvifTestSite, startOnvifSite } from "../support/onvif-site.ts";
import { type Outcome, type Peer, peer } from "../support/peer.ts";

/** Where scripts/install-peers.sh unpacks Debian's package: installed, it would want a web server and a database. */
const ZONEMINDER = "/opt/viaduct-peers/zoneminder/usr";
const MODULES = join(ZONEMINDER, "share/perl5");
const PROBE = join(ZONEMINDER, "bin/zmonvif-probe.pl");

/** What ZoneMinder's control does for a camera, and a profile made with its modules. */
const SCRIPT = `
  use strict; use warnings;
  require ONVIF::Client;
  my ($address, $user, $password) = @ARGV;
  my $client = ONVIF::Client->new({ url_svc_device => $address, soap_version => '1.2' });
  $client->set_credentials($user, $password, 1);
  $client->create_services();
  my ($media, $ptz) = map { $client->get_endpoint($_) } qw(media ptz);
  my $ask = sub {
    my ($service, $operation, @rest) = @_;
    my $answer = $service->$operation(@rest, ,);
    die "$operation: $answer" if !$answer;
    return $answer;
  };
  my $made = $ask->($media, 'CreateProfile', { Name => 'ZoneMinder', Token => 'zm-1' })->get_Profile();
  print 'made ', $made->attr()->get_token(), "\\n";
  my %named = (ProfileToken => 'zm-1', ConfigurationToken => 'gate');
  $ask->($media, "Add\${_}Configuration", { %named }) for qw(VideoSource VideoEncoder PTZ);
  my $setup = { Stream => 'RTP-Unicast', Transport => { Protocol => 'RTSP' } };
  my $uri = $ask->($media, 'GetStreamUri', { StreamSetup => $setup, ProfileToken => 'zm-1' })->get_MediaUri()->get_Uri();
  print "plays $uri\\n";
  my @presets = @{ $ask->($ptz, 'GetPresets', { ProfileToken => 'zm-1' })->get_Preset() };
  print 'preset ', $_->get_Name(), "\\n" for @presets;
  $ask->($ptz, 'GotoPreset', { ProfileToken => 'zm-1', PresetToken => $presets[0]->attr()->get_token() });
  $ask->($ptz, 'Stop', { ProfileToken => 'zm-1', PanTilt => 'true', Zoom => 'true' });
  $ask->($media, 'DeleteProfile', { ProfileToken => 'zm-1' });
  print "over\\n";
`;

describe("ZoneMinder's ONVIF as a client of ours", () => {
  // Thousands of modules are compiled at each start.
  let site: OnvifTestSite;
  let perl: Peer;
  let login: OnvifLogin;
  let control: FakeControl;
  let address: string;

  before(async function () {
    peer(this, PROBE);
    perl = peer(this, "perl");
    control = fakeControl();
    site = await startOnvifSite({ clock: systemClock, control });
    login = await site.account();
    address = `http://127.0.0.1:${site.port}/onvif/device_service`;
  });
  after(() => site?.close());

  const run = (...args: readonly string[]): Promise<Outcome> =>
    perl.run(["-I", MODULES, ...args], { limitMs: 240_000 });

  it("finds the profiles of its probe, and where each is played", async () => {
    const { stdout, stderr } = await run(PROBE, "profiles", address, "1.2", login.name, login.secret);
    const lines = stdout.toString().trim().split("\n");
    const gate = lines.find((line) => line.startsWith("gate, ") && line.includes("RTP-Unicast"));
    expect(gate, stdout.toString() + stderr).to.equal(
      "gate, Gate, H264, 1920, 1080, 5, RTP-Unicast, rtsp://127.0.0.1:8554/live/gate",
    );
    expect(lines.filter((line) => line.includes("RTP-Unicast"))).to.have.length(4);
  });

  it("reads the metadata configurations of its probe", async () => {
    const { code, stdout } = await run(PROBE, "metadata", address, "1.2", login.name, login.secret);
    expect(code).to.equal(0);
    expect(stdout.toString()).to.match(/<GetMetadataConfigurationsResponse[\s\S]*Gate/);
  });

  it("is refused with a wrong secret", async () => {
    const { code, stdout, stderr } = await run(PROBE, "profiles", address, "1.2", login.name, "wrong");
    expect(code).not.to.equal(null);
    expect(stdout.toString().trim(), stderr).to.equal("No result from GetProfiles.");
    expect(stdout.toString() + stderr).not.to.include("rtsp://");
  });

  it("makes a profile with its modules, plays it and moves by it", async () => {
    const { code, stdout, stderr } = await run("-e", SCRIPT, address, login.name, login.secret);
    expect(stdout.toString(), stderr).to.equal(
      "made zm-1\nplays rtsp://127.0.0.1:8554/live/gate?tracks=video\npreset Door\nover\n",
    );
    expect(code).to.equal(0);
    expect(control.asked.map(([operation]) => operation)).to.deep.equal(["GetPresets", "GotoPreset", "Stop"]);
  });
});
