// The plugin's process. go-plugin does the handshake, TLS, health, the broker and the end.
package main

import (
	"context"

	"example.org/processes/pluginv1"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

type set struct{ plugin.NetRPCUnsupportedPlugin }

func (set) GRPCServer(broker *plugin.GRPCBroker, server *grpc.Server) error {
	pluginv1.RegisterPluginServer(server, &collector{broker: broker})
	return nil
}

func (set) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

func main() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "OUTPOST_PLUGIN",
			MagicCookieValue: "8a3f6c1e5d0b47e29b6d41c7f2a98e05"},
		Plugins:    plugin.PluginSet{"plugin": set{}},
		GRPCServer: plugin.DefaultGRPCServer,
	})
}
