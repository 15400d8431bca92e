package admin

// counterHelp returns the help text of a counter. A test checks that every counter has one.
func counterHelp(counter string) string {
	help := map[string]string{
		"messagesReceived":    "Messages that passed every check.",
		"messagesSent":        "Messages handed to the operating system.",
		"bytesReceived":       "Bytes of frames read, dropped ones included.",
		"bytesSent":           "Bytes of frames handed to the operating system.",
		"framesMalformed":     "Frames dropped because they did not open or held no valid message.",
		"messagesRateLimited": "Frames dropped because the peer's token bucket was empty.",
		"messagesDuplicate":   "Messages dropped because they were seen before.",
		"messagesStale":       "Messages dropped because they were stamped too far from now.",
		"messagesRefused": "Messages refused: our own returned to us, relayed by an unverified peer, a ping, pong or " +
			"disconnect not from the peer itself, or more than the dedup set can hold.",
		"handshakesAccepted":      "Handshakes that opened a connection.",
		"handshakesRejected":      "Handshakes that failed or were refused.",
		"connectionsRefused":      "Connections refused with HTTP 503 because no slot was free.",
		"originsRefused":          "Connections refused with HTTP 403 because they came from a website.",
		"slowPeersClosed":         "Peers disconnected because they read too slowly.",
		"peersTimedOut":           "Peers disconnected because they gave no sign of life.",
		"actorRestarts":           "Actors that panicked: a connection that was stopped, or a registry that went on.",
		"handlerPanics":           "Handlers and observers that panicked or called runtime.Goexit.",
		"dials":                   "Outbound connections tried.",
		"dialsFailed":             "Outbound connections that failed.",
		"messagesAfterGoodbye":    "Frames read after a close began and not delivered.",
		"messagesOverPeerRate":    "Messages sent above the rate that the peer announces.",
		"acceptErrors":            "Accept calls of the listener that failed.",
		"bookWriteErrors":         "Background writes of the peer book that failed.",
		"downgradesRefused":       "Connections closed because a frame was sealed for another connection.",
		"subscribersStuck":        "Subscribers of the program that took no message for a minute and were unsubscribed.",
		"eventsLost":              "Events that slow readers of event streams missed.",
		"repliesDropped":          "Replies of message handlers that could not be enqueued.",
		"logLinesDropped":         "Log lines dropped because the log handler blocked or was too slow.",
		"clusterChecks":           "Messages about which other processes of this node were asked.",
		"clusterUnchecked":        "Messages delivered although another process of this node did not answer.",
		"clusterForwarded":        "Messages accepted for peers of other members of the cluster.",
		"clusterForwardFailed":    "Messages to peers of other members that ended with an error or without an answer.",
		"clusterClaims":           "Claims of this process for peers that proved their key here.",
		"clusterTaken":            "Peers of this process that another process of this node took over.",
		"clusterSnapshots":        "Complete lists of peers read from other processes of this node.",
		"clusterDroppedMalformed": "Messages of other processes of this node that did not decode or had another key.",
		"clusterDroppedVersion":   "Messages of other processes of this node in another format or of an unknown kind.",
		"clusterDroppedRefused":   "Messages of other processes of this node that were refused.",
		"clusterDroppedUnhandled": "Messages of other processes of this node that came faster than they were handled.",
		"membersLost":             "Losses of other processes of this node: nothing heard for two seconds, or no answer.",
	}
	if text, ok := help[counter]; ok {
		return text
	}
	return "Count of " + counter + "."
}
