// A collector in Go on the real hashicorp/go-plugin: how many processes are in each state.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"example.org/processes/pluginv1"
	"github.com/hashicorp/go-plugin"
)

const name = "processes"

var states = []string{"R", "S", "D", "Z", "T", "I"}

type collector struct {
	pluginv1.UnimplementedPluginServer
	broker     *plugin.GRPCBroker
	host       pluginv1.HostClient
	configured bool
	enabled    bool
	proc       string
}

func (c *collector) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	return &pluginv1.DescribeResponse{Name: "go-processes", Version: "1.0.0",
		Collectors: []*pluginv1.CollectorDescription{{Name: name, Help: "Processes by state.",
			DefaultEnabled: true, OptionsSchema: `{"type":"object","properties":{},"additionalProperties":false}`}}}, nil
}

func (c *collector) Configure(ctx context.Context, r *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	enabled := true
	for _, config := range r.Collectors {
		var options map[string]any
		path := "collectors." + config.Name
		if config.Name != name {
			return rejected(path, "is not a collector of this plugin, which has: "+name), nil
		} else if config.Options != "" && json.Unmarshal([]byte(config.Options), &options) != nil {
			return rejected(path+".options", "is not a JSON object"), nil
		} else if len(options) > 0 {
			return rejected(path+".options", "there are no options"), nil
		}
		enabled = config.Enabled == nil || *config.Enabled
	}
	c.configured, c.enabled, c.proc = true, enabled, "/proc"
	if r.Roots.GetProcfs() != "" {
		c.proc = r.Roots.Procfs
	}
	if c.host == nil && r.HostBrokerId != 0 {
		if connection, err := c.broker.Dial(r.HostBrokerId); err == nil {
			c.host = pluginv1.NewHostClient(connection)
			_, _ = c.host.Log(ctx, &pluginv1.LogRequest{Level: "info", Message: "counting processes"})
		}
	}
	return &pluginv1.ConfigureResponse{Status: pluginv1.ConfigureResponse_STATUS_APPLIED}, nil
}

func rejected(path, message string) *pluginv1.ConfigureResponse {
	return &pluginv1.ConfigureResponse{Status: pluginv1.ConfigureResponse_STATUS_REJECTED,
		Errors: []*pluginv1.ConfigError{{Path: path, Message: message}}}
}

func (c *collector) Collect(_ context.Context, r *pluginv1.CollectRequest) (*pluginv1.CollectResponse, error) {
	if !c.configured {
		return nil, errors.New("the plugin has not been configured")
	}
	answer := &pluginv1.CollectResponse{DefinitionSeq: 1}
	if !c.enabled {
		return answer, nil
	}
	counts := map[string]float64{}
	files, _ := filepath.Glob(c.proc + "/[0-9]*/stat")
	for _, file := range files {
		text, _ := os.ReadFile(file) // pid (name, which may hold anything) state …
		if end := strings.LastIndex(string(text), ") "); end >= 0 {
			counts[string(text[end+2])]++
		}
	}
	for id, state := range states {
		answer.Ids, answer.Values = append(answer.Ids, uint32(id)), append(answer.Values, counts[state])
		if r.DefinitionSeq == 0 {
			answer.Series = append(answer.Series, &pluginv1.Series{Id: uint32(id), Family: "example_processes",
				Labels: []*pluginv1.Label{{Name: "state", Value: state}}})
		}
	}
	if r.DefinitionSeq == 0 {
		answer.Families = []*pluginv1.Family{{Name: "example_processes", Help: "Processes by state.",
			Type: pluginv1.Family_TYPE_GAUGE, Collector: name}}
	}
	return answer, nil
}
