# A collector in Python with grpcio: space of the file systems that its option names.
import json, os, signal, subprocess, sys, tempfile, threading
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
import grpc_controller_pb2 as control, grpc_controller_pb2_grpc as control_grpc
import plugin_pb2 as pb, plugin_pb2_grpc as pb_grpc

if os.environ.get("OUTPOST_PLUGIN") != "8a3f6c1e5d0b47e29b6d41c7f2a98e05":
    sys.exit("This is the Outpost plugin \"space\": name it in the agent's configuration.")
COLLECTOR, FAMILY = "space", "example_space_bytes"
SCHEMA = {"type": "object", "additionalProperties": False, "properties": {
    "paths": {"type": "array", "items": {"type": "string"}, "default": ["/"]}}}
done = threading.Event()
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group


class Plugin(pb_grpc.PluginServicer):
    paths, ids = None, {}  # (path, kind) -> number of its series

    def Describe(self, request, context):
        collector = pb.CollectorDescription(name=COLLECTOR, help="Space of file systems.",
                                            default_enabled=True, options_schema=json.dumps(SCHEMA))
        return pb.DescribeResponse(name="python-space", version="1.0.0", collectors=[collector])

    def Configure(self, request, context):
        answer, paths = pb.ConfigureResponse(status=pb.ConfigureResponse.STATUS_APPLIED), ["/"]
        for config in request.collectors:
            where = f"collectors.{config.name}"
            if config.name != COLLECTOR:
                answer.errors.add(path=where, message=f"is not a collector; there is: {COLLECTOR}")
                continue
            try:
                options = json.loads(config.options or "{}")
                paths = options.pop("paths", paths)
                if options or not all(isinstance(path, str) for path in paths):
                    answer.errors.add(path=f"{where}.options", message="only paths, a list of texts")
            except (ValueError, TypeError, AttributeError):
                answer.errors.add(path=f"{where}.options", message="is not a JSON object")
            if config.HasField("enabled") and not config.enabled:
                paths = []
        if answer.errors:
            answer.status = pb.ConfigureResponse.STATUS_REJECTED
        else:
            self.paths = paths
        return answer

    def Collect(self, request, context):
        if self.paths is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not configured")
        answer = pb.CollectResponse()
        for path in self.paths:
            try:
                found = os.statvfs(path)
            except OSError as error:
                answer.failures.add(collector=COLLECTOR, message=str(error))
                continue
            for kind, blocks in (("total", found.f_blocks), ("free", found.f_bavail)):
                answer.ids.append(self.ids.setdefault((path, kind), len(self.ids)))
                answer.values.append(blocks * found.f_frsize)
        answer.definition_seq = len(self.ids)
        if request.definition_seq < answer.definition_seq:
            answer.families.add(name=FAMILY, type=pb.Family.TYPE_GAUGE, unit="bytes",
                                help="Space of the file system.", collector=COLLECTOR)
            for (path, kind), number in self.ids.items():
                labels = [pb.Label(name="path", value=path), pb.Label(name="kind", value=kind)]
                answer.series.add(id=number, family=FAMILY, labels=labels)
        return answer


class Controller(control_grpc.GRPCControllerServicer):
    def Shutdown(self, request, context):
        done.set()
        return control.Empty()


server, certificate = grpc.server(futures.ThreadPoolExecutor()), ""
pb_grpc.add_PluginServicer_to_server(Plugin(), server)
control_grpc.add_GRPCControllerServicer_to_server(Controller(), server)
health_pb2_grpc.add_HealthServicer_to_server(checks := health.HealthServicer(), server)
checks.set("plugin", health_pb2.HealthCheckResponse.SERVING)
socket = f"{os.environ['PLUGIN_UNIX_SOCKET_DIR']}/space-{os.getpid()}"
if host := os.environ.get("PLUGIN_CLIENT_CERT"):  # AutoMTLS: each side trusts the other's certificate
    with tempfile.NamedTemporaryFile() as key:
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        own = subprocess.run(["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
                              "ec_paramgen_curve:P-256", "-days", "9999", "-keyout", key.name, *subject],
                             capture_output=True, check=True).stdout
        pair = [(key.read(), own)]
    server.add_secure_port(f"unix:{socket}", grpc.ssl_server_credentials(pair, host.encode(), True))
    certificate = "".join(own.decode().splitlines()[1:-1]).rstrip("=")
else:
    server.add_insecure_port(f"unix:{socket}")
server.start()
print(f"1|1|unix|{socket}|grpc|{certificate}", flush=True)
done.wait()
server.stop(1).wait()
