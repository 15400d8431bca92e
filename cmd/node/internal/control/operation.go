package control

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Operation describes one request of the API. The handler checks requests against it, and package apidoc makes the
// OpenAPI description from it.
type Operation struct {
	Method     string
	Path       string // begins with /v1/
	Name       string // unique word, for generated clients
	Summary    string
	Parameters []Parameter // of the query
	Question   any         // zero value of the body, a struct; nil: none
	Answer     any         // zero value of the answer; nil: a stream of events
	Codes      []Code      // besides those of every request

	serve serveFunc
}

type serveFunc func(w http.ResponseWriter, r *http.Request, query url.Values)

// Parameter is a parameter of the query. All are optional.
type Parameter struct {
	Name       string
	Summary    string
	Values     []string // the valid ones; nil: any
	Min, Max   int      // range of a whole number; Max 0: the parameter is text
	Repeatable bool
}

// CommonCodes returns the codes that every operation can answer with; body: every operation with a request body.
func CommonCodes(body bool) []Code {
	codes := []Code{CodeUsage, CodeTimeout, CodeBusy, CodeStopping, CodeFailed}
	if body {
		codes = append(codes, CodeTooLarge)
	}
	return codes
}

// check refuses parameters that the operation does not have, and invalid values.
func (o *Operation) check(query url.Values) error {
	for name, values := range query {
		i := slices.IndexFunc(o.Parameters, func(p Parameter) bool { return p.Name == name })
		if i < 0 {
			return usage("unknown parameter %.64q: the parameters are %s", name, o.parameterNames())
		}
		if err := o.Parameters[i].check(values); err != nil {
			return err
		}
	}
	return nil
}

func (o *Operation) parameterNames() string {
	if len(o.Parameters) == 0 {
		return "none"
	}
	var names []string
	for _, p := range o.Parameters {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

func (p *Parameter) check(values []string) error {
	if len(values) > 1 && !p.Repeatable {
		return usage("parameter %s is there %d times: give it once", p.Name, len(values))
	}
	for _, value := range values {
		switch n, err := strconv.Atoi(value); {
		case p.Max > 0 && (err != nil || n < p.Min || n > p.Max):
			return usage("%s %.64q: must be a whole number from %d to %d", p.Name, value, p.Min, p.Max)
		case len(p.Values) > 0 && !slices.Contains(p.Values, value):
			return usage("%s %.64q: must be %s", p.Name, value, strings.Join(p.Values, " or "))
		}
	}
	return nil
}

// get returns an operation without a body.
func get[Answer any](
	h *Handler, path, name, summary string, do func(context.Context, url.Values) (Answer, error),
) Operation {
	var answer Answer
	return Operation{
		Method: http.MethodGet, Path: path, Name: name, Summary: summary, Answer: answer,
		serve: h.counted(func(_ http.ResponseWriter, r *http.Request, query url.Values) (any, error) {
			ctx, cancel := context.WithTimeout(r.Context(), defaultTimeout)
			defer cancel()
			return do(ctx, query)
		}),
	}
}

// post returns an operation with a JSON body.
func post[Question, Answer any](
	h *Handler, path, name, summary string, do func(context.Context, Question) (Answer, error), codes ...Code,
) Operation {
	var question Question
	var answer Answer
	return Operation{
		Method: http.MethodPost, Path: path, Name: name, Summary: summary, Question: question, Answer: answer, Codes: codes,
		serve: h.counted(func(w http.ResponseWriter, r *http.Request, _ url.Values) (any, error) {
			var question Question
			if err := decode(http.MaxBytesReader(w, r.Body, h.maxBody.Load()), &question); err != nil {
				return nil, err
			}
			answer, err := do(r.Context(), question)
			return answer, h.sized(err)
		}),
	}
}
