/* Walks an ONVIF device with gSOAP's stubs, and prints what it found: a word and a value in each line.
 *
 * Arguments: address of the device service, user, password, file of the certificate that is trusted. Each request has a
 * UsernameToken. What is not as the WSDL has it ends the program: gSOAP checks what it reads by the stubs.
 *
 * Compiled once with the stubs of ONVIF's own files, and, with OWN, with those of the WSDL that the device itself gives. */

#include "soapH.h"
#include NAMESPACE_TABLE
#include "wsseapi.h"

#ifdef OWN
#define REFERENCE(made) ((made).SubscriptionReference)
/* There, a message is what it is. */
static int says(const struct wsnt__NotificationMessageHolderType *message, const char *word) {
  const struct tt__ItemList *data = message->Message->tt__Message->Data;
  for (int i = 0; data != NULL && i < data->__sizeSimpleItem; i++)
    if (strcmp(data->SimpleItem[i].Name, word) == 0) return 1;
  return 0;
}
#else
#define REFERENCE(made) (&(made).SubscriptionReference)
static int says(const struct wsnt__NotificationMessageHolderType *message, const char *word) {
  return strstr(message->Message.__any, word) != NULL;
}
#endif

enum { TIMEOUT_S = 20, TWO_SECONDS_MS = 2000, MOST_SERVICES = 32 };

static const char *user, *password;

/* Ends the program with what went wrong: well only where the device wants another log-in, of which gSOAP knows no more than the status. */
static void fail(struct soap *soap, const char *what) {
  fprintf(stderr, "%s: ", what);
  soap_print_fault(soap, stderr);
  if (soap->error != 401) exit(1);
  printf("refused %s\n", what);
  exit(0);
}

static void log_in(struct soap *soap) {
  soap_wsse_delete_Security(soap);
  if (soap_wsse_add_UsernameTokenDigest(soap, NULL, user, password) != SOAP_OK) fail(soap, "UsernameToken");
}

/* One call with a token of its own; `in` and `out` are structs of the stubs. */
#define CALL(operation, at, in, out) \
  (log_in(soap), soap_call___##operation(soap, at, NULL, &(in), &(out)) == SOAP_OK ? (void)0 : fail(soap, #operation))

struct at {
  const char *device, *media, *media2, *ptz, *events, *search, *replay;
};

static struct at services(struct soap *soap, const char *device) {
  struct at at = {.device = device};
  struct _tds__GetServices in = {.IncludeCapability = xsd__boolean__false_};
  struct _tds__GetServicesResponse out;
  CALL(tds__GetServices, device, in, out);
  const struct { const char *space; const char **where; } known[] = {
    {"http://www.onvif.org/ver10/media/wsdl", &at.media},   {"http://www.onvif.org/ver20/media/wsdl", &at.media2},
    {"http://www.onvif.org/ver20/ptz/wsdl", &at.ptz},       {"http://www.onvif.org/ver10/events/wsdl", &at.events},
    {"http://www.onvif.org/ver10/search/wsdl", &at.search}, {"http://www.onvif.org/ver10/replay/wsdl", &at.replay},
  };
  for (int i = 0; i < out.__sizeService; i++)
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
      if (strcmp(out.Service[i].Namespace, known[k].space) == 0) *known[k].where = out.Service[i].XAddr;
  return at;
}

static void device(struct soap *soap, struct at at) {
  struct _tds__GetDeviceInformation in = {0};
  struct _tds__GetDeviceInformationResponse out;
  CALL(tds__GetDeviceInformation, at.device, in, out);
  printf("manufacturer %s\n", out.Manufacturer);
}

/* Every profile with its address of live video; returns the token of the first. */
static char *live(struct soap *soap, struct at at) {
  struct _trt__GetProfiles in = {0};
  struct _trt__GetProfilesResponse out;
  CALL(trt__GetProfiles, at.media, in, out);
  struct tt__Transport transport = {.Protocol = tt__TransportProtocol__RTSP};
  struct tt__StreamSetup setup = {.Stream = tt__StreamType__RTP_Unicast, .Transport = &transport};
  for (int i = 0; i < out.__sizeProfiles; i++) {
    const struct tt__Profile *profile = &out.Profiles[i];
    struct _trt__GetStreamUri uri_in = {.StreamSetup = &setup, .ProfileToken = profile->token};
    struct _trt__GetStreamUriResponse uri;
    CALL(trt__GetStreamUri, at.media, uri_in, uri);
    printf("profile %s\nlive %s\n", profile->token, uri.MediaUri->Uri);
    if (profile->VideoEncoderConfiguration != NULL)
      printf("size %dx%d\n", profile->VideoEncoderConfiguration->Resolution->Width,
             profile->VideoEncoderConfiguration->Resolution->Height);
  }
  char *all = "All";
  struct _tr2__GetProfiles in2 = {.__sizeType = 1, .Type = &all};
  struct _tr2__GetProfilesResponse out2;
  CALL(tr2__GetProfiles, at.media2, in2, out2);
  for (int i = 0; i < out2.__sizeProfiles; i++) printf("profile2 %s\n", out2.Profiles[i].token);
  struct _tr2__GetStreamUri uri2_in = {.Protocol = "RtspsUnicast", .ProfileToken = out.Profiles[0].token};
  struct _tr2__GetStreamUriResponse uri2;
  CALL(tr2__GetStreamUri, at.media2, uri2_in, uri2);
  printf("live2 %s\n", uri2.Uri);
  return out.Profiles[0].token;
}

/* Moves the camera of the profile and stops it, keeps a place, goes there and forgets it. */
static void move(struct soap *soap, struct at at, char *profile) {
  struct _tptz__GetNodes nodes_in = {0};
  struct _tptz__GetNodesResponse nodes;
  CALL(tptz__GetNodes, at.ptz, nodes_in, nodes);
  for (int i = 0; i < nodes.__sizePTZNode; i++) printf("node %s\n", nodes.PTZNode[i].token);
  struct tt__Vector2D speed = {.x = 0.5f, .y = -0.25f};
  struct tt__PTZSpeed velocity = {.PanTilt = &speed};
  LONG64 timeout_ms = TWO_SECONDS_MS;
  struct _tptz__ContinuousMove move_in = {.ProfileToken = profile, .Velocity = &velocity, .Timeout = &timeout_ms};
  struct _tptz__ContinuousMoveResponse moved;
  CALL(tptz__ContinuousMove, at.ptz, move_in, moved);
  struct _tptz__GetStatus status_in = {.ProfileToken = profile};
  struct _tptz__GetStatusResponse status;
  CALL(tptz__GetStatus, at.ptz, status_in, status);
  printf("pan %.1f\n", status.PTZStatus->Position->PanTilt->x);
  enum xsd__boolean yes = xsd__boolean__true_;
  struct _tptz__Stop stop_in = {.ProfileToken = profile, .PanTilt = &yes, .Zoom = &yes};
  struct _tptz__StopResponse stopped;
  CALL(tptz__Stop, at.ptz, stop_in, stopped);
  struct _tptz__SetPreset set_in = {.ProfileToken = profile, .PresetName = "Door"};
  struct _tptz__SetPresetResponse set;
  CALL(tptz__SetPreset, at.ptz, set_in, set);
  struct _tptz__GetPresets presets_in = {.ProfileToken = profile};
  struct _tptz__GetPresetsResponse presets;
  CALL(tptz__GetPresets, at.ptz, presets_in, presets);
  for (int i = 0; i < presets.__sizePreset; i++) {
    printf("preset %s\n", presets.Preset[i].Name);
    if (strcmp(presets.Preset[i].token, set.PresetToken) == 0) printf("kept yes\n");
  }
  struct _tptz__GotoPreset goto_in = {.ProfileToken = profile, .PresetToken = set.PresetToken};
  struct _tptz__GotoPresetResponse gone;
  CALL(tptz__GotoPreset, at.ptz, goto_in, gone);
  struct _tptz__RemovePreset remove_in = {.ProfileToken = profile, .PresetToken = set.PresetToken};
  struct _tptz__RemovePresetResponse removed;
  CALL(tptz__RemovePreset, at.ptz, remove_in, removed);
}

static int pull(struct soap *soap, const char *point, const char *word) {
  struct _tev__PullMessages in = {.Timeout = TWO_SECONDS_MS, .MessageLimit = 100};
  struct _tev__PullMessagesResponse out;
  CALL(tev__PullMessages, point, in, out);
  int told = 0;
  for (int i = 0; i < out.__sizeNotificationMessage; i++)
    told += says(&out.wsnt__NotificationMessage[i], "IsRecording");
  printf("%s %d\n", word, told);
  return out.__sizeNotificationMessage;
}

/* Subscribes, fetches how everything stands twice, and unsubscribes; what is asked after that is a fault. */
static void events(struct soap *soap, struct at at) {
  struct _tev__CreatePullPointSubscription in = {.InitialTerminationTime = "PT2M"};
  struct _tev__CreatePullPointSubscriptionResponse made;
  CALL(tev__CreatePullPointSubscription, at.events, in, made);
  const char *point = REFERENCE(made)->Address;
  printf("lives %ld\n", (long)(made.wsnt__TerminationTime - made.wsnt__CurrentTime));
  int first = pull(soap, point, "told");
  struct _tev__SetSynchronizationPoint sync_in = {0};
  struct _tev__SetSynchronizationPointResponse synced;
  CALL(tev__SetSynchronizationPoint, point, sync_in, synced);
  printf("again %s\n", pull(soap, point, "told") == first ? "yes" : "no");
  struct _wsnt__Renew renew_in = {.TerminationTime = "PT5M"};
  struct _wsnt__RenewResponse renewed;
  CALL(tev__Renew, point, renew_in, renewed);
  struct _wsnt__Unsubscribe end_in = {0};
  struct _wsnt__UnsubscribeResponse ended;
  CALL(tev__Unsubscribe, point, end_in, ended);
  struct _tev__PullMessages after_in = {.MessageLimit = 1};
  struct _tev__PullMessagesResponse after;
  log_in(soap);
  const int there = soap_call___tev__PullMessages(soap, point, NULL, &after_in, &after);
  printf("after %s\n", there == SOAP_OK ? "still there" : *soap_faultstring(soap));
}

static void recordings(struct soap *soap, struct at at) {
  struct _tse__GetRecordingSummary sum_in = {0};
  struct _tse__GetRecordingSummaryResponse sum;
  CALL(tse__GetRecordingSummary, at.search, sum_in, sum);
  printf("number %d\n", sum.Summary->NumberRecordings);
  struct tt__SearchScope scope = {0};
  struct _tse__FindRecordings find_in = {.Scope = &scope, .KeepAliveTime = TIMEOUT_S * 1000};
  struct _tse__FindRecordingsResponse find;
  CALL(tse__FindRecordings, at.search, find_in, find);
  int least = 1;
  LONG64 wait_ms = TWO_SECONDS_MS;
  struct _tse__GetRecordingSearchResults page_in = {
    .SearchToken = find.SearchToken, .MinResults = &least, .WaitTime = &wait_ms};
  struct _tse__GetRecordingSearchResultsResponse page;
  CALL(tse__GetRecordingSearchResults, at.search, page_in, page);
  printf("state %s\n", page.ResultList->SearchState == tt__SearchState__Completed ? "Completed" : "other");
  struct tt__Transport transport = {.Protocol = tt__TransportProtocol__RTSP};
  struct tt__StreamSetup setup = {.Stream = tt__StreamType__RTP_Unicast, .Transport = &transport};
  for (int i = 0; i < page.ResultList->__sizeRecordingInformation; i++) {
    const struct tt__RecordingInformation *found = &page.ResultList->RecordingInformation[i];
    struct _trp__GetReplayUri uri_in = {.StreamSetup = &setup, .RecordingToken = found->RecordingToken};
    struct _trp__GetReplayUriResponse uri;
    CALL(trp__GetReplayUri, at.replay, uri_in, uri);
    printf("recording %s\nreplay %s\n", found->RecordingToken, uri.Uri);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  user = argv[2];
  password = argv[3];
  soap_ssl_init();
  struct soap *soap = soap_new1(SOAP_XML_STRICT | SOAP_C_UTFSTRING);
  soap->connect_timeout = soap->send_timeout = soap->recv_timeout = TIMEOUT_S;
  if (soap_ssl_client_context(soap, SOAP_SSL_DEFAULT, NULL, NULL, argv[4], NULL, NULL) != SOAP_OK) fail(soap, "TLS");
  soap_register_plugin(soap, soap_wsse);
  const struct at at = services(soap, argv[1]);
  device(soap, at);
  char *profile = live(soap, at);
  move(soap, at, profile);
  events(soap, at);
  recordings(soap, at);
  soap_destroy(soap);
  soap_end(soap);
  soap_done(soap);
  soap_free(soap);
  return 0;
}
