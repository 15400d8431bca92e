// Package kubernetes checks packaging/kubernetes against the types of the Kubernetes API. It is a module of its own, so
// that the node does not depend on them.
package kubernetes

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	v1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const path = "../../packaging/kubernetes/go-p2p.yaml"

// decode decodes all documents of a manifest. An unknown kind, an unknown or repeated field, and a value of another
// type are errors.
func decode(manifest []byte) ([]runtime.Object, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		apps.AddToScheme, core.AddToScheme, networking.AddToScheme, policy.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme,
		json.SerializerOptions{Yaml: true, Strict: true})
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifest)))
	var objects []runtime.Object
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		object, _, err := strict.Decode(document, nil, nil)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}

func read(t *testing.T) []byte {
	t.Helper()
	manifest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return manifest
}

// only returns the one object of a type.
func only[T runtime.Object](t *testing.T, objects []runtime.Object) (found T) {
	t.Helper()
	n := 0
	for _, object := range objects {
		if o, ok := object.(T); ok {
			found = o
			n++
		}
	}
	if n != 1 {
		t.Fatalf("the manifest has %d objects of type %T, want 1", n, found)
	}
	return found
}

func TestManifestDecodesStrictly(t *testing.T) {
	objects, err := decode(read(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 6 {
		t.Errorf("the manifest has %d objects, want 6", len(objects))
	}
}

func TestDecodeRefusesMistakes(t *testing.T) {
	for _, mistake := range []struct{ name, old, new string }{
		{"unknown field", "podManagementPolicy:", "podManagmentPolicy:"},
		{"unknown kind", "kind: StatefulSet", "kind: StatefulSets"},
		{"wrong type", "replicas: 3", "replicas: three"},
		{"repeated field", "  replicas: 3", "  replicas: 3\n  replicas: 4"},
	} {
		t.Run(mistake.name, func(t *testing.T) {
			wrong := strings.Replace(string(read(t)), mistake.old, mistake.new, 1)
			if wrong == string(read(t)) {
				t.Fatalf("the manifest does not contain %q", mistake.old)
			}
			if _, err := decode([]byte(wrong)); err == nil {
				t.Error("the manifest was accepted")
			}
		})
	}
}

// TestReferencesResolve checks the values that types do not check: selectors, names of ports, volumes and services.
func TestReferencesResolve(t *testing.T) {
	objects, err := decode(read(t))
	if err != nil {
		t.Fatal(err)
	}
	set := only[*apps.StatefulSet](t, objects)
	pod := set.Spec.Template
	container := pod.Spec.Containers[0]
	selects := func(what string, selector *v1.LabelSelector) {
		t.Helper()
		s, err := v1.LabelSelectorAsSelector(selector)
		if err != nil || s.Empty() || !s.Matches(labels.Set(pod.Labels)) {
			t.Errorf("%s selects no pod of the stateful set (%v)", what, err)
		}
	}
	selects("the stateful set", set.Spec.Selector)
	selects("the disruption budget", only[*policy.PodDisruptionBudget](t, objects).Spec.Selector)
	selects("the network policy", &only[*networking.NetworkPolicy](t, objects).Spec.PodSelector)

	var ports []string
	for _, port := range container.Ports {
		ports = append(ports, port.Name)
	}
	var services []string
	for _, object := range objects {
		service, ok := object.(*core.Service)
		if !ok {
			continue
		}
		services = append(services, service.Name)
		selects("service "+service.Name, &v1.LabelSelector{MatchLabels: service.Spec.Selector})
		for _, port := range service.Spec.Ports {
			if !slices.Contains(ports, port.TargetPort.String()) {
				t.Errorf("service %s: the container has no port %q", service.Name, port.TargetPort.String())
			}
		}
	}
	if !slices.Contains(services, set.Spec.ServiceName) {
		t.Errorf("there is no service %q", set.Spec.ServiceName)
	}
	for name, probe := range map[string]*core.Probe{
		"readiness": container.ReadinessProbe, "liveness": container.LivenessProbe, "startup": container.StartupProbe,
	} {
		if port := probe.HTTPGet.Port.String(); !slices.Contains(ports, port) {
			t.Errorf("%s probe: the container has no port %q", name, port)
		}
	}
	volumes := []string{}
	for _, volume := range pod.Spec.Volumes {
		volumes = append(volumes, volume.Name)
	}
	for _, claim := range set.Spec.VolumeClaimTemplates {
		volumes = append(volumes, claim.Name)
	}
	for _, mount := range container.VolumeMounts {
		if !slices.Contains(volumes, mount.Name) {
			t.Errorf("there is no volume %q", mount.Name)
		}
	}
}

// TestVariablesAreDocumented: each variable of the node in the manifest is one that it reads.
func TestVariablesAreDocumented(t *testing.T) {
	reference, err := os.ReadFile("../../docs/node.md")
	if err != nil {
		t.Fatal(err)
	}
	variables := regexp.MustCompile(`NODE_[A-Z_]+`).FindAllString(string(read(t)), -1)
	if len(variables) < 8 {
		t.Fatalf("the manifest names %d variables", len(variables))
	}
	for _, name := range variables {
		if !strings.Contains(string(reference), "`"+name+"`") {
			t.Errorf("the node reads no variable %s", name)
		}
	}
}
