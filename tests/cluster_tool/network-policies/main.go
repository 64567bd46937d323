// Command network-policies enforces the NetworkPolicies of a cluster on one node: kube-router's
// controller for them, without its other parts.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"sync"
	"syscall"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	config := options.NewKubeRouterConfig()
	config.EnableIPv4 = true
	flag.StringVar(&config.Kubeconfig, "kubeconfig", "", "file with the API server's address and the credentials")
	flag.StringVar(&config.HostnameOverride, "node", "", "name of this node")
	services := flag.String("services", "", "range of the addresses of Services")
	remove := flag.Bool("remove", false, "only remove what an earlier start has left on the node")
	flag.Parse()
	config.ClusterIPCIDRs = []string{*services}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, config, *remove); err != nil {
		log.Fatal(err)
	}
}

// run keeps the node's rules equal to the cluster's policies until it is told to stop, or removes them.
func run(ctx context.Context, config *options.KubeRouterConfig, remove bool) error {
	restConfig, err := clientcmd.BuildConfigFromFlags("", config.Kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(restConfig)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()

	iptables, ipsets, err := netpol.NewIPTablesHandlers(config)
	if err != nil {
		return err
	}
	controller, err := netpol.NewNetworkPolicyController(
		client, config, pods, policies, namespaces, &sync.Mutex{}, iptables, ipsets)
	if err != nil {
		return err
	}
	if remove {
		controller.Cleanup()
		return nil
	}
	if err := handle(pods, controller.PodEventHandler); err != nil {
		return err
	}
	if err := handle(namespaces, controller.NamespaceEventHandler); err != nil {
		return err
	}
	if err := handle(policies, controller.NetworkPolicyEventHandler); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())

	heartbeats := make(chan *healthcheck.ControllerHeartbeat, 1)
	go forget(ctx, heartbeats)
	var running sync.WaitGroup
	running.Add(1)
	controller.Run(heartbeats, ctx.Done(), &running)
	running.Wait()
	return nil
}

// handle has the controller told of every change.
func handle(informer cache.SharedIndexInformer, handler cache.ResourceEventHandler) error {
	_, err := informer.AddEventHandler(handler)
	return err
}

// forget takes the signs of life that the controller sends: nobody asks for them.
func forget(ctx context.Context, heartbeats <-chan *healthcheck.ControllerHeartbeat) {
	for {
		select {
		case <-heartbeats:
		case <-ctx.Done():
			return
		}
	}
}
