// Judge reads a body of botkit's alerts with the types of those who defined, or know, its format.
//
// It takes the name of the format as its argument and the body on its standard input, refuses any
// key that the type does not have and any value of another type, and writes what it has read.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/PagerDuty/go-pagerduty"
	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/slack-go/slack"
)

func main() {
	log.SetFlags(0)
	bodies := map[string]any{
		"alertmanager": &webhook.Message{},
		"pagerduty":    &pagerduty.V2Event{},
		"slack":        &slack.WebhookMessage{},
	}
	body, known := bodies[os.Args[1]]
	if !known {
		log.Fatalf("no format %q", os.Args[1])
	}
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(body); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(body); err != nil {
		log.Fatal(err)
	}
}
