// An app that lets in only who came by the door. Needs nothing but Go's standard library.
//
//	PORT=8000 SERVER=shop-a DOOR=https://www.example.org go run app.go
package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	life        = time.Minute
	keysFor     = 15 * time.Minute
	sessionsMax = 10_000
)

var (
	server, door = os.Getenv("SERVER"), os.Getenv("DOOR")
	raw          = base64.RawURLEncoding
	client       = http.Client{Timeout: 5 * time.Second}

	mutex    sync.Mutex
	keys     = map[string]ed25519.PublicKey{}
	keysAt   time.Time
	used     = map[string]time.Time{} // ticket's id -> when it may be forgotten
	sessions = map[string]string{}    // session -> who
)

// redeem says whose ticket this is; an error when it is not good, or not for the first time.
func redeem(ticket string) (string, error) {
	parts := strings.Split(ticket, ".")
	if len(parts) != 3 {
		return "", errors.New("this is no ticket")
	}
	var head struct{ Alg, Kid string }
	var claims struct {
		Iss, Sub, Aud, Jti string
		Exp                int64
	}
	signature, err := raw.DecodeString(parts[2])
	if err != nil || decode(parts[0], &head) != nil || decode(parts[1], &claims) != nil || head.Alg != "EdDSA" {
		return "", errors.New("this is no ticket")
	}
	mutex.Lock()
	defer mutex.Unlock()
	key, err := publicKey(head.Kid)
	if err != nil {
		return "", err
	}
	now := time.Now()
	switch {
	case !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), signature):
		return "", errors.New("the signature is wrong")
	case claims.Iss != door: // ROUTER_URL of Usher
		return "", errors.New("this ticket is another door's")
	case claims.Aud != server: // this server's name there
		return "", errors.New("this ticket is for another server")
	case claims.Exp <= now.Unix():
		return "", errors.New("this ticket has expired")
	}
	for id, until := range used {
		if until.Before(now) {
			delete(used, id)
		}
	}
	if _, isUsed := used[claims.Jti]; isUsed {
		return "", errors.New("this ticket was used before")
	}
	used[claims.Jti] = now.Add(life)
	return claims.Sub, nil
}

// publicKey asks for the keys when they are old, and once a minute for an unknown one. The mutex is held.
func publicKey(kid string) (ed25519.PublicKey, error) {
	age := time.Since(keysAt)
	if key, isKnown := keys[kid]; isKnown && age < keysFor {
		return key, nil
	}
	if age < life {
		return nil, errors.New("the key is unknown")
	}
	answer, err := client.Get(door + "/.well-known/jwks.json")
	if err != nil {
		return nil, errors.New("the keys cannot be had")
	}
	defer answer.Body.Close()
	var set struct {
		Keys []struct{ Crv, Kid, X string }
	}
	if answer.StatusCode != http.StatusOK || json.NewDecoder(answer.Body).Decode(&set) != nil {
		return nil, errors.New("the keys cannot be had")
	}
	keys, keysAt = map[string]ed25519.PublicKey{}, time.Now()
	for _, each := range set.Keys {
		key, err := raw.DecodeString(each.X)
		if err == nil && each.Crv == "Ed25519" && len(key) == ed25519.PublicKeySize {
			keys[each.Kid] = key
		}
	}
	if key, isKnown := keys[kid]; isKnown {
		return key, nil
	}
	return nil, errors.New("the key is unknown")
}

func decode(part string, into any) error {
	text, err := raw.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// newSession is of one who has come by the door; any other session gives way when there are too many.
func newSession(visitor string) string {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		panic(err)
	}
	session := raw.EncodeToString(bytes)
	mutex.Lock()
	defer mutex.Unlock()
	for other := range sessions {
		if len(sessions) < sessionsMax {
			break
		}
		delete(sessions, other)
	}
	sessions[session] = visitor
	return session
}

func visitorOf(request *http.Request) string {
	cookie, err := request.Cookie("app_session")
	if err != nil {
		return ""
	}
	mutex.Lock()
	defer mutex.Unlock()
	return sessions[cookie.Value]
}

func page(response http.ResponseWriter, request *http.Request) {
	response.Header().Set("Cache-Control", "private, no-store")
	visitor := visitorOf(request)
	if ticket := request.URL.Query().Get("usher_ticket"); visitor == "" && ticket != "" {
		var err error
		if visitor, err = redeem(ticket); err != nil {
			http.Error(response, "No entry: "+err.Error(), http.StatusForbidden)
			return
		}
		http.SetCookie(response, &http.Cookie{
			Name: "app_session", Value: newSession(visitor), Path: "/", HttpOnly: true,
			SameSite: http.SameSiteLaxMode, Secure: os.Getenv("SECURE") != "",
		})
	}
	if visitor == "" {
		http.Redirect(response, request, door+request.URL.RequestURI(), http.StatusFound)
		return
	}
	response.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(response, `<!doctype html><title>Shop</title>
<script src="%s/usher.js" data-server="%s" defer></script>
<p>Welcome, %s
`, door, server, visitor)
}

func main() {
	http.HandleFunc("/", page)
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); err != nil {
		panic(err)
	}
}
